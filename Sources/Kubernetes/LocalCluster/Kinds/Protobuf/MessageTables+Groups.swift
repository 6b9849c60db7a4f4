extension MessageTables {
    /// The other groups, and what all share.
    static let groups = """
        apps.v1.DaemonSet: metadata=1<meta.v1.ObjectMeta> spec=2<DaemonSetSpec>
        apps.v1.DaemonSetSpec: selector=1<meta.v1.LabelSelector>^ template=2<core.v1.PodTemplateSpec>
          updateStrategy=3<DaemonSetUpdateStrategy> minReadySeconds=4# revisionHistoryLimit=6#^
        apps.v1.DaemonSetUpdateStrategy: type=1 rollingUpdate=2<RollingUpdateDaemonSet>^
        apps.v1.Deployment: metadata=1<meta.v1.ObjectMeta> spec=2<DeploymentSpec>
        apps.v1.DeploymentSpec: replicas=1#^ selector=2<meta.v1.LabelSelector>^ template=3<core.v1.PodTemplateSpec>
          strategy=4<DeploymentStrategy> minReadySeconds=5# revisionHistoryLimit=6#^ paused=7?
          progressDeadlineSeconds=9#^
        apps.v1.DeploymentStrategy: type=1 rollingUpdate=2<RollingUpdateDeployment>^
        apps.v1.ReplicaSet: metadata=1<meta.v1.ObjectMeta> spec=2<ReplicaSetSpec>
        apps.v1.ReplicaSetSpec: replicas=1#^ minReadySeconds=4# selector=2<meta.v1.LabelSelector>^
          template=3<core.v1.PodTemplateSpec>
        apps.v1.RollingUpdateDaemonSet: maxUnavailable=1<IntOrString>^ maxSurge=2<IntOrString>^
        apps.v1.RollingUpdateDeployment: maxUnavailable=1<IntOrString>^ maxSurge=2<IntOrString>^
        apps.v1.RollingUpdateStatefulSetStrategy: partition=1#^ maxUnavailable=2<IntOrString>^
        apps.v1.StatefulSet: metadata=1<meta.v1.ObjectMeta> spec=2<StatefulSetSpec>
        apps.v1.StatefulSetOrdinals: start=1#
        apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted=1 whenScaled=2
        apps.v1.StatefulSetSpec: replicas=1#^ selector=2<meta.v1.LabelSelector>^ template=3<core.v1.PodTemplateSpec>
          *volumeClaimTemplates=4<core.v1.PersistentVolumeClaim> serviceName=5 podManagementPolicy=6
          updateStrategy=7<StatefulSetUpdateStrategy> revisionHistoryLimit=8#^ minReadySeconds=9#
          persistentVolumeClaimRetentionPolicy=10<StatefulSetPersistentVolumeClaimRetentionPolicy>^
          ordinals=11<StatefulSetOrdinals>^
        apps.v1.StatefulSetUpdateStrategy: type=1 rollingUpdate=2<RollingUpdateStatefulSetStrategy>^
        authentication.v1.BoundObjectReference: kind=1 apiVersion=2 name=3 uid=4
        authentication.v1.SelfSubjectReview: metadata=1<meta.v1.ObjectMeta> status=2<SelfSubjectReviewStatus>
        authentication.v1.SelfSubjectReviewStatus: userInfo=1<UserInfo>
        authentication.v1.TokenRequest: metadata=1<meta.v1.ObjectMeta> spec=2<TokenRequestSpec>
          status=3<TokenRequestStatus>
        authentication.v1.TokenRequestSpec: *audiences=1 expirationSeconds=4#^ boundObjectRef=3<BoundObjectReference>^
          %attestations=5<Strings>
        authentication.v1.TokenRequestStatus: token=1 expirationTimestamp=2<Time>
        authentication.v1.TokenReview: metadata=1<meta.v1.ObjectMeta> spec=2<TokenReviewSpec>
          status=3<TokenReviewStatus>
        authentication.v1.TokenReviewSpec: token=1 *audiences=2
        authentication.v1.TokenReviewStatus: authenticated=1? user=2<UserInfo> *audiences=4 error=3
        authentication.v1.UserInfo: username=1 uid=2 *groups=3 %extra=4<Strings>
        authorization.v1.FieldSelectorAttributes: rawSelector=1 *requirements=2<meta.v1.FieldSelectorRequirement>
        authorization.v1.LabelSelectorAttributes: rawSelector=1 *requirements=2<meta.v1.LabelSelectorRequirement>
        authorization.v1.LocalSubjectAccessReview: metadata=1<meta.v1.ObjectMeta> spec=2<SubjectAccessReviewSpec>
          status=3<SubjectAccessReviewStatus>
        authorization.v1.NonResourceAttributes: path=1 verb=2
        authorization.v1.NonResourceRule: *verbs=1 *nonResourceURLs=2
        authorization.v1.ResourceAttributes: namespace=1 verb=2 group=3 version=4 resource=5 subresource=6 name=7
          fieldSelector=8<FieldSelectorAttributes>^ labelSelector=9<LabelSelectorAttributes>^
        authorization.v1.ResourceRule: *verbs=1 *apiGroups=2 *resources=3 *resourceNames=4
        authorization.v1.SelfSubjectAccessReview: metadata=1<meta.v1.ObjectMeta> spec=2<SelfSubjectAccessReviewSpec>
          status=3<SubjectAccessReviewStatus>
        authorization.v1.SelfSubjectAccessReviewSpec: resourceAttributes=1<ResourceAttributes>^
          nonResourceAttributes=2<NonResourceAttributes>^
        authorization.v1.SelfSubjectRulesReview: metadata=1<meta.v1.ObjectMeta> spec=2<SelfSubjectRulesReviewSpec>
          status=3<SubjectRulesReviewStatus>
        authorization.v1.SelfSubjectRulesReviewSpec: namespace=1
        authorization.v1.SubjectAccessReview: metadata=1<meta.v1.ObjectMeta> spec=2<SubjectAccessReviewSpec>
          status=3<SubjectAccessReviewStatus>
        authorization.v1.SubjectAccessReviewSpec: resourceAttributes=1<ResourceAttributes>^
          nonResourceAttributes=2<NonResourceAttributes>^ user=3 *groups=4 %extra=5<Strings> uid=6
        authorization.v1.SubjectAccessReviewStatus: allowed=1? denied=4? reason=2 evaluationError=3
        authorization.v1.SubjectRulesReviewStatus: *resourceRules=1<ResourceRule> *nonResourceRules=2<NonResourceRule>
          incomplete=3? evaluationError=4
        autoscaling.v1.CrossVersionObjectReference: kind=1 name=2 apiVersion=3
        autoscaling.v1.HorizontalPodAutoscaler: metadata=1<meta.v1.ObjectMeta> spec=2<HorizontalPodAutoscalerSpec>
        autoscaling.v1.HorizontalPodAutoscalerSpec: scaleTargetRef=1<CrossVersionObjectReference> minReplicas=2#^
          maxReplicas=3# targetCPUUtilizationPercentage=4#^
        autoscaling.v1.Scale: metadata=1<meta.v1.ObjectMeta> spec=2<ScaleSpec>
        autoscaling.v1.ScaleSpec: replicas=1#
        autoscaling.v2.ContainerResourceMetricSource: name=1 target=2<MetricTarget> container=3
        autoscaling.v2.CrossVersionObjectReference: kind=1 name=2 apiVersion=3
        autoscaling.v2.ExternalMetricSource: metric=1<MetricIdentifier> target=2<MetricTarget>
        autoscaling.v2.HPAScalingPolicy: type=1 value=2# periodSeconds=3#
        autoscaling.v2.HPAScalingRules: stabilizationWindowSeconds=3#^ selectPolicy=1^ *policies=2<HPAScalingPolicy>
          tolerance=4<Quantity>^
        autoscaling.v2.HorizontalPodAutoscaler: metadata=1<meta.v1.ObjectMeta> spec=2<HorizontalPodAutoscalerSpec>
        autoscaling.v2.HorizontalPodAutoscalerBehavior: scaleUp=1<HPAScalingRules>^ scaleDown=2<HPAScalingRules>^
        autoscaling.v2.HorizontalPodAutoscalerSpec: scaleTargetRef=1<CrossVersionObjectReference> minReplicas=2#^
          maxReplicas=3# *metrics=4<MetricSpec> behavior=5<HorizontalPodAutoscalerBehavior>^
        autoscaling.v2.MetricIdentifier: name=1 selector=2<meta.v1.LabelSelector>^
        autoscaling.v2.MetricSpec: type=1 object=2<ObjectMetricSource>^ pods=3<PodsMetricSource>^
          resource=4<ResourceMetricSource>^ containerResource=7<ContainerResourceMetricSource>^
          external=5<ExternalMetricSource>^
        autoscaling.v2.MetricTarget: type=1 value=2<Quantity>^ averageValue=3<Quantity>^ averageUtilization=4#^
        autoscaling.v2.ObjectMetricSource: describedObject=1<CrossVersionObjectReference> target=2<MetricTarget>
          metric=3<MetricIdentifier>
        autoscaling.v2.PodsMetricSource: metric=1<MetricIdentifier> target=2<MetricTarget>
        autoscaling.v2.ResourceMetricSource: name=1 target=2<MetricTarget>
        batch.v1.CronJob: metadata=1<meta.v1.ObjectMeta> spec=2<CronJobSpec>
        batch.v1.CronJobSpec: schedule=1 timeZone=8^ startingDeadlineSeconds=2#^ concurrencyPolicy=3 suspend=4?^
          jobTemplate=5<JobTemplateSpec> successfulJobsHistoryLimit=6#^ failedJobsHistoryLimit=7#^
        batch.v1.Job: metadata=1<meta.v1.ObjectMeta> spec=2<JobSpec>
        batch.v1.JobSchedulingConfiguration:
        batch.v1.JobSpec: parallelism=1#^ completions=2#^ activeDeadlineSeconds=3#^
          podFailurePolicy=11<PodFailurePolicy>^ successPolicy=16<SuccessPolicy>^ backoffLimit=7#^
          backoffLimitPerIndex=12#^ maxFailedIndexes=13#^ selector=4<meta.v1.LabelSelector>^ manualSelector=5?^
          template=6<core.v1.PodTemplateSpec> ttlSecondsAfterFinished=8#^ completionMode=9^ suspend=10?^
          podReplacementPolicy=14^ managedBy=15^ scheduling=17<JobSchedulingConfiguration>^
        batch.v1.JobTemplateSpec: metadata=1<meta.v1.ObjectMeta> spec=2<JobSpec>
        batch.v1.PodFailurePolicy: *rules=1<PodFailurePolicyRule>
        batch.v1.PodFailurePolicyOnExitCodesRequirement: containerName=1^ operator=2 *values=3#
        batch.v1.PodFailurePolicyOnPodConditionsPattern: type=1
        batch.v1.PodFailurePolicyRule: action=1 onExitCodes=2<PodFailurePolicyOnExitCodesRequirement>^
          *onPodConditions=3<PodFailurePolicyOnPodConditionsPattern>
        batch.v1.SuccessPolicy: *rules=1<SuccessPolicyRule>
        batch.v1.SuccessPolicyRule: succeededIndexes=1^ succeededCount=2#^
        coordination.v1.Lease: metadata=1<meta.v1.ObjectMeta> spec=2<LeaseSpec>
        coordination.v1.LeaseSpec: holderIdentity=1^ leaseDurationSeconds=2#^ acquireTime=3<MicroTime>^
          renewTime=4<MicroTime>^ leaseTransitions=5#^ strategy=6^ preferredHolder=7^
        events.v1.Event: metadata=1<meta.v1.ObjectMeta> eventTime=2<MicroTime> series=3<EventSeries>^
          reportingController=4 reportingInstance=5 action=6 reason=7 regarding=8<core.v1.ObjectReference>
          related=9<core.v1.ObjectReference>^ note=10 type=11 deprecatedSource=12<core.v1.EventSource>
          deprecatedFirstTimestamp=13<Time> deprecatedLastTimestamp=14<Time> deprecatedCount=15#
        events.v1.EventSeries: count=1# lastObservedTime=2<MicroTime>
        meta.v1.DeleteOptions: gracePeriodSeconds=1#^ preconditions=2<Preconditions>^ orphanDependents=3?^
          propagationPolicy=4^ *dryRun=5 ignoreStoreReadErrorWithClusterBreakingPotential=6?^
        meta.v1.FieldSelectorRequirement: key=1 operator=2 *values=3
        meta.v1.LabelSelector: %matchLabels=1 *matchExpressions=2<LabelSelectorRequirement>
        meta.v1.LabelSelectorRequirement: key=1 operator=2 *values=3
        meta.v1.ManagedFieldsEntry: manager=1 operation=2 apiVersion=3 time=4<Time>^ fieldsType=6 fieldsV1=7<Raw>^
          subresource=8
        meta.v1.ObjectMeta: name=1 generateName=2 namespace=3 selfLink=4 uid=5 resourceVersion=6 generation=7#
          creationTimestamp=8<Time> deletionTimestamp=9<Time>^ deletionGracePeriodSeconds=10#^ %labels=11
          %annotations=12 *ownerReferences=13<OwnerReference> *finalizers=14 *managedFields=17<ManagedFieldsEntry>
        meta.v1.OwnerReference: apiVersion=5 kind=1 name=3 uid=4 controller=6?^ blockOwnerDeletion=7?^
        meta.v1.Preconditions: uid=1^ resourceVersion=2^
        networking.v1.HTTPIngressPath: path=1 pathType=3^ backend=2<IngressBackend>
        networking.v1.HTTPIngressRuleValue: *paths=1<HTTPIngressPath>
        networking.v1.IPBlock: cidr=1 *except=2
        networking.v1.Ingress: metadata=1<meta.v1.ObjectMeta> spec=2<IngressSpec>
        networking.v1.IngressBackend: service=4<IngressServiceBackend>^ resource=3<core.v1.TypedLocalObjectReference>^
        networking.v1.IngressClass: metadata=1<meta.v1.ObjectMeta> spec=2<IngressClassSpec>
        networking.v1.IngressClassParametersReference: apiGroup=1^ kind=2 name=3 scope=4^ namespace=5^
        networking.v1.IngressClassSpec: controller=1 parameters=2<IngressClassParametersReference>^
        networking.v1.IngressRule: host=1 +=2<IngressRuleValue>
        networking.v1.IngressRuleValue: http=1<HTTPIngressRuleValue>^
        networking.v1.IngressServiceBackend: name=1 port=2<ServiceBackendPort>
        networking.v1.IngressSpec: ingressClassName=4^ defaultBackend=1<IngressBackend>^ *tls=2<IngressTLS>
          *rules=3<IngressRule>
        networking.v1.IngressTLS: *hosts=1 secretName=2
        networking.v1.NetworkPolicy: metadata=1<meta.v1.ObjectMeta> spec=2<NetworkPolicySpec>
        networking.v1.NetworkPolicyEgressRule: *ports=1<NetworkPolicyPort> *to=2<NetworkPolicyPeer>
        networking.v1.NetworkPolicyIngressRule: *ports=1<NetworkPolicyPort> *from=2<NetworkPolicyPeer>
        networking.v1.NetworkPolicyPeer: podSelector=1<meta.v1.LabelSelector>^
          namespaceSelector=2<meta.v1.LabelSelector>^ ipBlock=3<IPBlock>^
        networking.v1.NetworkPolicyPort: protocol=1^ port=2<IntOrString>^ endPort=3#^
        networking.v1.NetworkPolicySpec: podSelector=1<meta.v1.LabelSelector> *ingress=2<NetworkPolicyIngressRule>
          *egress=3<NetworkPolicyEgressRule> *policyTypes=4
        networking.v1.ServiceBackendPort: name=1 number=2#
        policy.v1.Eviction: metadata=1<meta.v1.ObjectMeta> deleteOptions=2<meta.v1.DeleteOptions>^
        policy.v1.PodDisruptionBudget: metadata=1<meta.v1.ObjectMeta> spec=2<PodDisruptionBudgetSpec>
        policy.v1.PodDisruptionBudgetSpec: minAvailable=1<IntOrString>^ selector=2<meta.v1.LabelSelector>^
          maxUnavailable=3<IntOrString>^ unhealthyPodEvictionPolicy=4^
        rbac.v1.AggregationRule: *clusterRoleSelectors=1<meta.v1.LabelSelector>
        rbac.v1.ClusterRole: metadata=1<meta.v1.ObjectMeta> *rules=2<PolicyRule> aggregationRule=3<AggregationRule>^
        rbac.v1.ClusterRoleBinding: metadata=1<meta.v1.ObjectMeta> *subjects=2<Subject> roleRef=3<RoleRef>
        rbac.v1.PolicyRule: *verbs=1 *apiGroups=2 *resources=3 *resourceNames=4 *nonResourceURLs=5
        rbac.v1.Role: metadata=1<meta.v1.ObjectMeta> *rules=2<PolicyRule>
        rbac.v1.RoleBinding: metadata=1<meta.v1.ObjectMeta> *subjects=2<Subject> roleRef=3<RoleRef>
        rbac.v1.RoleRef: apiGroup=1 kind=2 name=3
        rbac.v1.Subject: kind=1 apiGroup=2 name=3 namespace=4
        scheduling.v1.PriorityClass: metadata=1<meta.v1.ObjectMeta> value=2# globalDefault=3? description=4
          preemptionPolicy=5^
        """
}
