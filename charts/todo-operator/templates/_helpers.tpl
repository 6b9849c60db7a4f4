{{- define "todo-operator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- define "todo-operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "todo-operator.labels" -}}
{{ include "todo-operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "todo-operator.serviceAccount" -}}
{{- default (include "todo-operator.fullname" .) .Values.serviceAccount.name -}}
{{- end }}

{{- define "todo-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "todo-operator.rules" -}}
{{- if .Values.rbac.watchSecrets -}}
{{ include "todo-operator.rules.watched" . }}
{{- else -}}
{{ include "todo-operator.rules.byName" . }}
{{- end -}}
{{- end }}

{{- define "todo-operator.leaseName" -}}
{{- default (ternary (include "todo-operator.fullname" .) "todo-operator" (ne .Values.appSelector "")) .Values.leaseName -}}
{{- end }}
