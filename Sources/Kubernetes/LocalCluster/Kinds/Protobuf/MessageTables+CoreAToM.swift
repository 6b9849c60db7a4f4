extension MessageTables {
    /// The core group, A to M.
    static let coreAToM = """
        core.v1.AWSElasticBlockStoreVolumeSource: volumeID=1 fsType=2 partition=3# readOnly=4?
        core.v1.Affinity: nodeAffinity=1<NodeAffinity>^ podAffinity=2<PodAffinity>^ podAntiAffinity=3<PodAntiAffinity>^
        core.v1.AppArmorProfile: type=1 localhostProfile=2^
        core.v1.AzureDiskVolumeSource: diskName=1 diskURI=2 cachingMode=3^ fsType=4^ readOnly=5?^ kind=6^
        core.v1.AzureFileVolumeSource: secretName=1 shareName=2 readOnly=3?
        core.v1.Binding: metadata=1<meta.v1.ObjectMeta> target=2<ObjectReference>
        core.v1.CSIVolumeSource: driver=1 readOnly=2?^ fsType=3^ %volumeAttributes=4
          nodePublishSecretRef=5<LocalObjectReference>^
        core.v1.Capabilities: *add=1 *drop=2
        core.v1.CephFSVolumeSource: *monitors=1 path=2 user=3 secretFile=4 secretRef=5<LocalObjectReference>^
          readOnly=6?
        core.v1.CinderVolumeSource: volumeID=1 fsType=2 readOnly=3? secretRef=4<LocalObjectReference>^
        core.v1.ClientIPConfig: timeoutSeconds=1#^
        core.v1.ClusterTrustBundleProjection: name=1^ signerName=2^ labelSelector=3<meta.v1.LabelSelector>^
          optional=5?^ path=4 user=6#^
        core.v1.ConfigMap: metadata=1<meta.v1.ObjectMeta> immutable=4?^ %data=2 %binaryData=3&
        core.v1.ConfigMapEnvSource: +=1<LocalObjectReference> optional=2?^
        core.v1.ConfigMapKeySelector: +=1<LocalObjectReference> key=2 optional=3?^
        core.v1.ConfigMapProjection: +=1<LocalObjectReference> *items=2<KeyToPath> optional=4?^
        core.v1.ConfigMapVolumeSource: +=1<LocalObjectReference> *items=2<KeyToPath> defaultMode=3#^ optional=4?^
          defaultUser=5#^
        core.v1.Container: name=1 image=2 *command=3 *args=4 workingDir=5 *ports=6<ContainerPort>
          *envFrom=19<EnvFromSource> *env=7<EnvVar> resources=8<ResourceRequirements>
          *resizePolicy=23<ContainerResizePolicy> restartPolicy=24^ *restartPolicyRules=25<ContainerRestartRule>
          *volumeMounts=9<VolumeMount> *volumeDevices=21<VolumeDevice> livenessProbe=10<Probe>^
          readinessProbe=11<Probe>^ startupProbe=22<Probe>^ lifecycle=12<Lifecycle>^ terminationMessagePath=13
          terminationMessagePolicy=20 imagePullPolicy=14 securityContext=15<SecurityContext>^ stdin=16? stdinOnce=17?
          tty=18?
        core.v1.ContainerPort: name=1 hostPort=2# containerPort=3# protocol=4 hostIP=5
        core.v1.ContainerResizePolicy: resourceName=1 restartPolicy=2
        core.v1.ContainerRestartRule: action=1 exitCodes=2<ContainerRestartRuleOnExitCodes>^
        core.v1.ContainerRestartRuleOnExitCodes: operator=1 *values=2#
        core.v1.DownwardAPIProjection: *items=1<DownwardAPIVolumeFile>
        core.v1.DownwardAPIVolumeFile: path=1 fieldRef=2<ObjectFieldSelector>^
          resourceFieldRef=3<ResourceFieldSelector>^ mode=4#^ user=5#^
        core.v1.DownwardAPIVolumeSource: *items=1<DownwardAPIVolumeFile> defaultMode=2#^ defaultUser=3#^
        core.v1.EmptyDirVolumeSource: medium=1 sizeLimit=2<Quantity>^ mode=3#^
        core.v1.EndpointAddress: ip=1 hostname=3 nodeName=4^ targetRef=2<ObjectReference>^
        core.v1.EndpointPort: name=1 port=2# protocol=3 appProtocol=4^
        core.v1.EndpointSubset: *addresses=1<EndpointAddress> *notReadyAddresses=2<EndpointAddress>
          *ports=3<EndpointPort>
        core.v1.Endpoints: metadata=1<meta.v1.ObjectMeta> *subsets=2<EndpointSubset>
        core.v1.EnvFromSource: prefix=1 configMapRef=2<ConfigMapEnvSource>^ secretRef=3<SecretEnvSource>^
        core.v1.EnvVar: name=1 value=2 valueFrom=3<EnvVarSource>^
        core.v1.EnvVarSource: fieldRef=1<ObjectFieldSelector>^ resourceFieldRef=2<ResourceFieldSelector>^
          configMapKeyRef=3<ConfigMapKeySelector>^ secretKeyRef=4<SecretKeySelector>^ fileKeyRef=5<FileKeySelector>^
        core.v1.EphemeralContainer: +=1<EphemeralContainerCommon> targetContainerName=2
        core.v1.EphemeralContainerCommon: name=1 image=2 *command=3 *args=4 workingDir=5 *ports=6<ContainerPort>
          *envFrom=19<EnvFromSource> *env=7<EnvVar> resources=8<ResourceRequirements>
          *resizePolicy=23<ContainerResizePolicy> restartPolicy=24^ *restartPolicyRules=25<ContainerRestartRule>
          *volumeMounts=9<VolumeMount> *volumeDevices=21<VolumeDevice> livenessProbe=10<Probe>^
          readinessProbe=11<Probe>^ startupProbe=22<Probe>^ lifecycle=12<Lifecycle>^ terminationMessagePath=13
          terminationMessagePolicy=20 imagePullPolicy=14 securityContext=15<SecurityContext>^ stdin=16? stdinOnce=17?
          tty=18?
        core.v1.EphemeralVolumeSource: volumeClaimTemplate=1<PersistentVolumeClaimTemplate>^
        core.v1.Event: metadata=1<meta.v1.ObjectMeta> involvedObject=2<ObjectReference> reason=3 message=4
          source=5<EventSource> firstTimestamp=6<Time> lastTimestamp=7<Time> count=8# type=9 eventTime=10<MicroTime>
          series=11<EventSeries>^ action=12 related=13<ObjectReference>^ reportingComponent=14 reportingInstance=15
        core.v1.EventSeries: count=1# lastObservedTime=2<MicroTime>
        core.v1.EventSource: component=1 host=2
        core.v1.EvictionResponder: name=1 priority=2#^
        core.v1.ExecAction: *command=1
        core.v1.FCVolumeSource: *targetWWNs=1 lun=2#^ fsType=3 readOnly=4? *wwids=5
        core.v1.FileKeySelector: volumeName=1 path=2 key=3 optional=4?^
        core.v1.FlexVolumeSource: driver=1 fsType=2 secretRef=3<LocalObjectReference>^ readOnly=4? %options=5
        core.v1.FlockerVolumeSource: datasetName=1 datasetUUID=2
        core.v1.GCEPersistentDiskVolumeSource: pdName=1 fsType=2 partition=3# readOnly=4?
        core.v1.GRPCAction: port=1# service=2^ mode=3^
        core.v1.GitRepoVolumeSource: repository=1 revision=2 directory=3
        core.v1.GlusterfsVolumeSource: endpoints=1 path=2 readOnly=3?
        core.v1.HTTPGetAction: path=1 port=2<IntOrString> host=3 scheme=4 *httpHeaders=5<HTTPHeader> protocol=6^
        core.v1.HTTPHeader: name=1 value=2
        core.v1.HostAlias: ip=1 *hostnames=2
        core.v1.HostPathVolumeSource: path=1 type=2^
        core.v1.ISCSIVolumeSource: targetPortal=1 iqn=2 lun=3# iscsiInterface=4 fsType=5 readOnly=6? *portals=7
          chapAuthDiscovery=8? chapAuthSession=11? secretRef=10<LocalObjectReference>^ initiatorName=12^
        core.v1.ImageVolumeSource: reference=1 pullPolicy=2
        core.v1.KeyToPath: key=1 path=2 mode=3#^ user=4#^
        core.v1.Lifecycle: postStart=1<LifecycleHandler>^ preStop=2<LifecycleHandler>^ stopSignal=3^
        core.v1.LifecycleHandler: exec=1<ExecAction>^ httpGet=2<HTTPGetAction>^ tcpSocket=3<TCPSocketAction>^
          sleep=4<SleepAction>^
        core.v1.LimitRange: metadata=1<meta.v1.ObjectMeta> spec=2<LimitRangeSpec>
        core.v1.LimitRangeItem: type=1 %max=2<Quantity> %min=3<Quantity> %default=4<Quantity>
          %defaultRequest=5<Quantity> %maxLimitRequestRatio=6<Quantity>
        core.v1.LimitRangeSpec: *limits=1<LimitRangeItem>
        core.v1.LocalObjectReference: name=1
        """
}
