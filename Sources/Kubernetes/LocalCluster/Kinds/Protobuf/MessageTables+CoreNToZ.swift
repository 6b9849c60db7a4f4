extension MessageTables {
    /// The core group, N to Z.
    static let coreNToZ = """
        core.v1.NFSVolumeSource: server=1 path=2 readOnly=3?
        core.v1.Namespace: metadata=1<meta.v1.ObjectMeta> spec=2<NamespaceSpec>
        core.v1.NamespaceSpec: *finalizers=1
        core.v1.NodeAffinity: requiredDuringSchedulingIgnoredDuringExecution=1<NodeSelector>^
          *preferredDuringSchedulingIgnoredDuringExecution=2<PreferredSchedulingTerm>
        core.v1.NodeSelector: *nodeSelectorTerms=1<NodeSelectorTerm>
        core.v1.NodeSelectorRequirement: key=1 operator=2 *values=3
        core.v1.NodeSelectorTerm: *matchExpressions=1<NodeSelectorRequirement> *matchFields=2<NodeSelectorRequirement>
        core.v1.ObjectFieldSelector: apiVersion=1 fieldPath=2
        core.v1.ObjectReference: kind=1 namespace=2 name=3 uid=4 apiVersion=5 resourceVersion=6 fieldPath=7
        core.v1.PersistentVolumeClaim: metadata=1<meta.v1.ObjectMeta> spec=2<PersistentVolumeClaimSpec>
        core.v1.PersistentVolumeClaimSpec: *accessModes=1 selector=4<meta.v1.LabelSelector>^
          resources=2<VolumeResourceRequirements> volumeName=3 storageClassName=5^ volumeMode=6^
          dataSource=7<TypedLocalObjectReference>^ dataSourceRef=8<TypedObjectReference>^ volumeAttributesClassName=9^
        core.v1.PersistentVolumeClaimTemplate: metadata=1<meta.v1.ObjectMeta> spec=2<PersistentVolumeClaimSpec>
        core.v1.PersistentVolumeClaimVolumeSource: claimName=1 readOnly=2?
        core.v1.PhotonPersistentDiskVolumeSource: pdID=1 fsType=2
        core.v1.Pod: metadata=1<meta.v1.ObjectMeta> spec=2<PodSpec>
        core.v1.PodAffinity: *requiredDuringSchedulingIgnoredDuringExecution=1<PodAffinityTerm>
          *preferredDuringSchedulingIgnoredDuringExecution=2<WeightedPodAffinityTerm>
        core.v1.PodAffinityTerm: labelSelector=1<meta.v1.LabelSelector>^ *namespaces=2 topologyKey=3
          namespaceSelector=4<meta.v1.LabelSelector>^ *matchLabelKeys=5 *mismatchLabelKeys=6
        core.v1.PodAntiAffinity: *requiredDuringSchedulingIgnoredDuringExecution=1<PodAffinityTerm>
          *preferredDuringSchedulingIgnoredDuringExecution=2<WeightedPodAffinityTerm>
        core.v1.PodCertificateProjection: signerName=1 keyType=2 maxExpirationSeconds=3#^ credentialBundlePath=4
          keyPath=5 certificateChainPath=6 %userAnnotations=7 user=8#^
        core.v1.PodDNSConfig: *nameservers=1 *searches=2 *options=3<PodDNSConfigOption>
        core.v1.PodDNSConfigOption: name=1 value=2^
        core.v1.PodOS: name=1
        core.v1.PodReadinessGate: conditionType=1
        core.v1.PodResourceClaim: name=1 resourceClaimName=3^ resourceClaimTemplateName=4^
        core.v1.PodSchedulingGate: name=1
        core.v1.PodSchedulingGroup: podGroupName=1^
        core.v1.PodSecurityContext: seLinuxOptions=1<SELinuxOptions>^ windowsOptions=8<WindowsSecurityContextOptions>^
          runAsUser=2#^ runAsGroup=6#^ runAsNonRoot=3?^ *supplementalGroups=4# supplementalGroupsPolicy=12^ fsGroup=5#^
          *sysctls=7<Sysctl> fsGroupChangePolicy=9^ seccompProfile=10<SeccompProfile>^
          appArmorProfile=11<AppArmorProfile>^ seLinuxChangePolicy=13^
        core.v1.PodSpec: *volumes=1<Volume> *initContainers=20<Container> *containers=2<Container>
          *ephemeralContainers=34<EphemeralContainer> restartPolicy=3 terminationGracePeriodSeconds=4#^
          activeDeadlineSeconds=5#^ dnsPolicy=6 %nodeSelector=7 serviceAccountName=8 serviceAccount=9
          automountServiceAccountToken=21?^ nodeName=10 hostNetwork=11? hostPID=12? hostIPC=13?
          shareProcessNamespace=27?^ securityContext=14<PodSecurityContext>^ *imagePullSecrets=15<LocalObjectReference>
          hostname=16 subdomain=17 affinity=18<Affinity>^ schedulerName=19 *tolerations=22<Toleration>
          *hostAliases=23<HostAlias> priorityClassName=24 priority=25#^ dnsConfig=26<PodDNSConfig>^
          *readinessGates=28<PodReadinessGate> runtimeClassName=29^ enableServiceLinks=30?^ preemptionPolicy=31^
          %overhead=32<Quantity> *topologySpreadConstraints=33<TopologySpreadConstraint> setHostnameAsFQDN=35?^
          os=36<PodOS>^ hostUsers=37?^ *schedulingGates=38<PodSchedulingGate> *resourceClaims=39<PodResourceClaim>
          resources=40<ResourceRequirements>^ hostnameOverride=41^ schedulingGroup=43<PodSchedulingGroup>^
          *evictionResponders=44<EvictionResponder>
        core.v1.PodTemplateSpec: metadata=1<meta.v1.ObjectMeta> spec=2<PodSpec>
        core.v1.PortworxVolumeSource: volumeID=1 fsType=2 readOnly=3?
        core.v1.PreferredSchedulingTerm: weight=1# preference=2<NodeSelectorTerm>
        core.v1.Probe: +=1<ProbeHandler> initialDelaySeconds=2# timeoutSeconds=3# periodSeconds=4# successThreshold=5#
          failureThreshold=6# terminationGracePeriodSeconds=7#^
        core.v1.ProbeHandler: exec=1<ExecAction>^ httpGet=2<HTTPGetAction>^ tcpSocket=3<TCPSocketAction>^
          grpc=4<GRPCAction>^
        core.v1.ProjectedVolumeSource: *sources=1<VolumeProjection> defaultMode=2#^ defaultUser=3#^
        core.v1.QuobyteVolumeSource: registry=1 volume=2 readOnly=3? user=4 group=5 tenant=6
        core.v1.RBDVolumeSource: *monitors=1 image=2 fsType=3 pool=4 user=5 keyring=6
          secretRef=7<LocalObjectReference>^ readOnly=8?
        core.v1.ResourceClaim: name=1 request=2
        core.v1.ResourceFieldSelector: containerName=1 resource=2 divisor=3<Quantity>
        core.v1.ResourceQuota: metadata=1<meta.v1.ObjectMeta> spec=2<ResourceQuotaSpec>
        core.v1.ResourceQuotaSpec: %hard=1<Quantity> *scopes=2 scopeSelector=3<ScopeSelector>^
        core.v1.ResourceRequirements: %limits=1<Quantity> %requests=2<Quantity> *claims=3<ResourceClaim>
        core.v1.SELinuxOptions: user=1 role=2 type=3 level=4
        core.v1.ScaleIOVolumeSource: gateway=1 system=2 secretRef=3<LocalObjectReference>^ sslEnabled=4?
          protectionDomain=5 storagePool=6 storageMode=7 volumeName=8 fsType=9 readOnly=10?
        core.v1.ScopeSelector: *matchExpressions=1<ScopedResourceSelectorRequirement>
        core.v1.ScopedResourceSelectorRequirement: scopeName=1 operator=2 *values=3
        core.v1.SeccompProfile: type=1 localhostProfile=2^
        core.v1.Secret: metadata=1<meta.v1.ObjectMeta> immutable=5?^ %data=2& %stringData=4 type=3
        core.v1.SecretEnvSource: +=1<LocalObjectReference> optional=2?^
        core.v1.SecretKeySelector: +=1<LocalObjectReference> key=2 optional=3?^
        core.v1.SecretProjection: +=1<LocalObjectReference> *items=2<KeyToPath> optional=4?^
        core.v1.SecretVolumeSource: secretName=1 *items=2<KeyToPath> defaultMode=3#^ optional=4?^ defaultUser=5#^
        core.v1.SecurityContext: capabilities=1<Capabilities>^ privileged=2?^ seLinuxOptions=3<SELinuxOptions>^
          windowsOptions=10<WindowsSecurityContextOptions>^ runAsUser=4#^ runAsGroup=8#^ runAsNonRoot=5?^
          readOnlyRootFilesystem=6?^ allowPrivilegeEscalation=7?^ procMount=9^ seccompProfile=11<SeccompProfile>^
          appArmorProfile=12<AppArmorProfile>^
        core.v1.Service: metadata=1<meta.v1.ObjectMeta> spec=2<ServiceSpec>
        core.v1.ServiceAccount: metadata=1<meta.v1.ObjectMeta> *secrets=2<ObjectReference>
          *imagePullSecrets=3<LocalObjectReference> automountServiceAccountToken=4?^
        core.v1.ServiceAccountTokenProjection: audience=1 expirationSeconds=2#^ path=3 user=4#^
        core.v1.ServicePort: name=1 protocol=2 appProtocol=6^ port=3# targetPort=4<IntOrString> nodePort=5#
        core.v1.ServiceSpec: *ports=1<ServicePort> %selector=2 clusterIP=3 *clusterIPs=18 type=4 *externalIPs=5
          sessionAffinity=7 loadBalancerIP=8 *loadBalancerSourceRanges=9 externalName=10 externalTrafficPolicy=11
          healthCheckNodePort=12# publishNotReadyAddresses=13? sessionAffinityConfig=14<SessionAffinityConfig>^
          *ipFamilies=19 ipFamilyPolicy=17^ allocateLoadBalancerNodePorts=20?^ loadBalancerClass=21^
          internalTrafficPolicy=22^ trafficDistribution=23^
        core.v1.SessionAffinityConfig: clientIP=1<ClientIPConfig>^
        core.v1.SleepAction: seconds=1#
        core.v1.StorageOSVolumeSource: volumeName=1 volumeNamespace=2 fsType=3 readOnly=4?
          secretRef=5<LocalObjectReference>^
        core.v1.Sysctl: name=1 value=2
        core.v1.TCPSocketAction: port=1<IntOrString> host=2
        core.v1.Toleration: key=1 operator=2 value=3 effect=4 tolerationSeconds=5#^
        core.v1.TopologySpreadConstraint: maxSkew=1# topologyKey=2 whenUnsatisfiable=3
          labelSelector=4<meta.v1.LabelSelector>^ minDomains=5#^ nodeAffinityPolicy=6^ nodeTaintsPolicy=7^
          *matchLabelKeys=8
        core.v1.TypedLocalObjectReference: apiGroup=1^ kind=2 name=3
        core.v1.TypedObjectReference: apiGroup=1^ kind=2 name=3 namespace=4^
        core.v1.Volume: name=1 +=2<VolumeSource>
        core.v1.VolumeDevice: name=1 devicePath=2
        core.v1.VolumeMount: name=1 readOnly=2? recursiveReadOnly=7^ mountPath=3 subPath=4 mountPropagation=5^
          subPathExpr=6 *bindMountOptions=8
        core.v1.VolumeProjection: secret=1<SecretProjection>^ downwardAPI=2<DownwardAPIProjection>^
          configMap=3<ConfigMapProjection>^ serviceAccountToken=4<ServiceAccountTokenProjection>^
          clusterTrustBundle=5<ClusterTrustBundleProjection>^ podCertificate=6<PodCertificateProjection>^
        core.v1.VolumeResourceRequirements: %limits=1<Quantity> %requests=2<Quantity>
        core.v1.VolumeSource: hostPath=1<HostPathVolumeSource>^ emptyDir=2<EmptyDirVolumeSource>^
          gcePersistentDisk=3<GCEPersistentDiskVolumeSource>^ awsElasticBlockStore=4<AWSElasticBlockStoreVolumeSource>^
          gitRepo=5<GitRepoVolumeSource>^ secret=6<SecretVolumeSource>^ nfs=7<NFSVolumeSource>^
          iscsi=8<ISCSIVolumeSource>^ glusterfs=9<GlusterfsVolumeSource>^
          persistentVolumeClaim=10<PersistentVolumeClaimVolumeSource>^ rbd=11<RBDVolumeSource>^
          flexVolume=12<FlexVolumeSource>^ cinder=13<CinderVolumeSource>^ cephfs=14<CephFSVolumeSource>^
          flocker=15<FlockerVolumeSource>^ downwardAPI=16<DownwardAPIVolumeSource>^ fc=17<FCVolumeSource>^
          azureFile=18<AzureFileVolumeSource>^ configMap=19<ConfigMapVolumeSource>^
          vsphereVolume=20<VsphereVirtualDiskVolumeSource>^ quobyte=21<QuobyteVolumeSource>^
          azureDisk=22<AzureDiskVolumeSource>^ photonPersistentDisk=23<PhotonPersistentDiskVolumeSource>^
          projected=26<ProjectedVolumeSource>^ portworxVolume=24<PortworxVolumeSource>^
          scaleIO=25<ScaleIOVolumeSource>^ storageos=27<StorageOSVolumeSource>^ csi=28<CSIVolumeSource>^
          ephemeral=29<EphemeralVolumeSource>^ image=30<ImageVolumeSource>^
        core.v1.VsphereVirtualDiskVolumeSource: volumePath=1 fsType=2 storagePolicyName=3 storagePolicyID=4
        core.v1.WeightedPodAffinityTerm: weight=1# podAffinityTerm=2<PodAffinityTerm>
        core.v1.WindowsSecurityContextOptions: gmsaCredentialSpecName=1^ gmsaCredentialSpec=2^ runAsUserName=3^
          hostProcess=4?^
        """
}
