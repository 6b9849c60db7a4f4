{{/* Made by `make manifests` from Sources/Operator; changes here are lost. */}}
{{- define "todo-operator.rules.byName" -}}
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps
  - kafkatopicbindings
  - reminderschedules
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps
  - kafkatopicbindings
  - reminderschedules
  verbs:
  - patch
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps/status
  - kafkatopicbindings/status
  - reminderschedules/status
  verbs:
  - patch
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps/finalizers
  verbs:
  - update
- apiGroups:
  - ""
  resources:
  - serviceaccounts
  - services
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - apps
  resources:
  - deployments
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - autoscaling
  resources:
  - horizontalpodautoscalers
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - dapr.io
  resources:
  - components
  - configurations
  - resiliencies
  - subscriptions
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - gateway.networking.k8s.io
  resources:
  - httproutes
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - kafka.strimzi.io
  resources:
  - kafkanodepools
  - kafkas
  - kafkatopics
  - kafkausers
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - keda.sh
  resources:
  - scaledobjects
  - triggerauthentications
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - monitoring.coreos.com
  resources:
  - podmonitors
  - prometheusrules
  - servicemonitors
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - networking.k8s.io
  resources:
  - ingresses
  - networkpolicies
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - policy
  resources:
  - poddisruptionbudgets
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - ""
  resources:
  - secrets
  verbs:
  - create
  - get
  - patch
- apiGroups:
  - events.k8s.io
  resources:
  - events
  verbs:
  - create
  - patch
- apiGroups:
  - ""
  resources:
  - pods
  verbs:
  - list
- apiGroups:
  - ""
  resources:
  - namespaces
  verbs:
  - get
{{- end }}
{{- define "todo-operator.rules.watched" -}}
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps
  - kafkatopicbindings
  - reminderschedules
  verbs:
  - get
  - list
  - watch
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps
  - kafkatopicbindings
  - reminderschedules
  verbs:
  - patch
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps/status
  - kafkatopicbindings/status
  - reminderschedules/status
  verbs:
  - patch
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps/finalizers
  verbs:
  - update
- apiGroups:
  - ""
  resources:
  - serviceaccounts
  - services
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - apps
  resources:
  - deployments
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - autoscaling
  resources:
  - horizontalpodautoscalers
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - dapr.io
  resources:
  - components
  - configurations
  - resiliencies
  - subscriptions
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - gateway.networking.k8s.io
  resources:
  - httproutes
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - kafka.strimzi.io
  resources:
  - kafkanodepools
  - kafkas
  - kafkatopics
  - kafkausers
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - keda.sh
  resources:
  - scaledobjects
  - triggerauthentications
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - monitoring.coreos.com
  resources:
  - podmonitors
  - prometheusrules
  - servicemonitors
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - networking.k8s.io
  resources:
  - ingresses
  - networkpolicies
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - policy
  resources:
  - poddisruptionbudgets
  verbs:
  - create
  - delete
  - get
  - list
  - patch
  - watch
- apiGroups:
  - ""
  resources:
  - secrets
  verbs:
  - create
  - get
  - list
  - patch
  - watch
- apiGroups:
  - events.k8s.io
  resources:
  - events
  verbs:
  - create
  - patch
- apiGroups:
  - ""
  resources:
  - pods
  verbs:
  - list
- apiGroups:
  - ""
  resources:
  - namespaces
  verbs:
  - get
{{- end }}
{{- define "todo-operator.rules.definitions" -}}
- apiGroups:
  - apiextensions.k8s.io
  resources:
  - customresourcedefinitions
  resourceNames:
  - todoapps.todo-operator.dev
  - kafkatopicbindings.todo-operator.dev
  - reminderschedules.todo-operator.dev
  verbs:
  - get
{{- end }}
{{- define "todo-operator.rules.election" -}}
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  verbs:
  - create
- apiGroups:
  - coordination.k8s.io
  resources:
  - leases
  resourceNames:
  - todo-operator
  verbs:
  - get
  - update
{{- end }}
{{- define "todo-operator.rules.view" -}}
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps
  - kafkatopicbindings
  - reminderschedules
  verbs:
  - get
  - list
  - watch
{{- end }}
{{- define "todo-operator.rules.edit" -}}
- apiGroups:
  - todo-operator.dev
  resources:
  - todoapps
  - kafkatopicbindings
  - reminderschedules
  verbs:
  - create
  - delete
  - deletecollection
  - patch
  - update
{{- end }}
{{- define "todo-operator.alerts" -}}
- name: todo-operator
  rules:
  - alert: TodoOperatorNotLeading
    annotations:
      description: Nothing is changed or mended, and reminders of apps without workers
        of their own do not fire. See the pods and the log of the operator.
      summary: No todo-operator leads
    expr: |-
      absent(leader_election_master_status{job="todo-operator"})
        or max by (name) (leader_election_master_status{job="todo-operator"}) == 0
    for: 5m
    labels:
      severity: critical
  - alert: TodoOperatorReconcileFailing
    annotations:
      description: '{{ "{{" }} $value | humanizePercentage }} of the passes ended in an error.
        The log of the operator names the objects and the errors.'
      summary: Passes of the controller {{ "{{" }} $labels.controller }} fail
    expr: |-
      sum by (controller) (rate(controller_runtime_reconcile_errors_total{job="todo-operator"}[10m]))
        / sum by (controller) (rate(controller_runtime_reconcile_total{job="todo-operator"}[10m])) > 0.2
    for: 15m
    labels:
      severity: warning
  - alert: TodoOperatorQueueGrowing
    annotations:
      description: The operator does not keep up. Give it more processor time, or
        more --workers.
      summary: '{{ "{{" }} $value }} objects wait for the controller {{ "{{" }} $labels.name }}'
    expr: workqueue_depth{job="todo-operator"} > 100
    for: 15m
    labels:
      severity: warning
  - alert: TodoOperatorStuck
    annotations:
      description: It keeps a worker from all other objects. Restart the operator;
        its log names what the pass was about, if anything.
      summary: A pass of the controller {{ "{{" }} $labels.name }} does not end
    expr: max by (name) (workqueue_longest_running_processor_seconds{job="todo-operator"})
      > 600
    for: 5m
    labels:
      severity: warning
  - alert: TodoOperatorWatchFailing
    annotations:
      description: 'The operator does not see changes of these objects. Its log says
        why: often a rule is missing from its role, or a CRD was removed.'
      summary: '{{ "{{" }} $labels.kind }} cannot be watched'
    expr: sum by (group, kind) (increase(reflector_failures_total{job="todo-operator"}[10m]))
      > 3
    for: 15m
    labels:
      severity: warning
  - alert: TodoOperatorAPIErrors
    annotations:
      description: '{{ "{{" }} $value | humanizePercentage }} of the operator''s requests
        failed. See the API server.'
      summary: The API server fails the operator
    expr: |-
      sum(rate(rest_client_requests_total{job="todo-operator",code=~"5..|<error>"}[5m]))
        / sum(rate(rest_client_requests_total{job="todo-operator"}[5m])) > 0.1
    for: 10m
    labels:
      severity: warning
  - alert: TodoAppNotReady
    annotations:
      description: 'Its condition Ready says what is missing and what to do: kubectl
        describe todoapp -n {{ "{{" }} $labels.namespace }} {{ "{{" }} $labels.app }}'
      summary: TodoApp {{ "{{" }} $labels.namespace }}/{{ "{{" }} $labels.app }} is not ready
    expr: max by (namespace, app) (todo_app_ready{job="todo-operator"}) == 0
    for: 30m
    labels:
      severity: warning
  - alert: TodoRemindersLate
    annotations:
      description: One in a hundred fires {{ "{{" }} $value | humanizeDuration }} late or
        later. See the load of its database, and of what runs its workers.
      summary: Reminders of {{ "{{" }} $labels.namespace }}/{{ "{{" }} $labels.app }} fire late
    expr: |-
      histogram_quantile(0.99, sum by (namespace, app, le) (
        rate(todo_reminder_lateness_seconds_bucket[5m]))) > 10
    for: 5m
    labels:
      severity: warning
  - alert: TodoRemindersFailing
    annotations:
      description: Its workers do not get at its database. The condition WorkersReady
        of the TodoApp and the log say why; what is due meanwhile fires late, marked
        so.
      summary: Reminders of {{ "{{" }} $labels.namespace }}/{{ "{{" }} $labels.app }} cannot be fired
    expr: sum by (namespace, app) (increase(todo_reminders_failed_total[5m])) > 5
    for: 5m
    labels:
      severity: critical
{{- end }}
