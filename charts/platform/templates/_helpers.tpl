{{- define "platform.labels" -}}
app.kubernetes.io/name: argosy
app.kubernetes.io/part-of: argosy
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* Subjects of a RoleBinding; a user or a group belongs to an API group of its own. */}}
{{- define "platform.subjects" -}}
{{- range . }}
- kind: {{ .kind }}
  name: {{ .name | quote }}
  {{- if eq .kind "ServiceAccount" }}
  namespace: {{ required (printf "the account %s needs a namespace" .name) .namespace | quote }}
  {{- else }}
  apiGroup: rbac.authorization.k8s.io
  {{- end }}
{{- end }}
{{- end }}

{{- /* What the pod of every job has, whatever it runs. */}}
{{- define "platform.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- /* The image of the platform's own jobs. There is no default: nobody but the cluster's owner knows where it is. */}}
{{- define "platform.image" -}}
{{- if not .Values.converge.image }}{{ fail "converge.image: name the image `promote` by digest, as images/images.lock has it (<registry>/argosy/promote@sha256:…), or turn converge.enabled, onlinePrune.enabled, predictionsPrune.enabled and noticesPrune.enabled off" }}{{ end -}}
{{ include "platform.mirrored" (dict "root" . "image" .Values.converge.image) | quote }}
{{- end }}

{{- /* An image as the mirror has it, where it names no registry of its own. */}}
{{- define "platform.mirrored" -}}
{{- $host := first (splitList "/" .image) -}}
{{- if and .root.Values.registry (not (or (contains "." $host) (contains ":" $host) (eq $host "localhost"))) -}}
{{ .root.Values.registry }}/{{ .image }}
{{- else -}}
{{ .image }}
{{- end -}}
{{- end }}

{{- define "platform.exporterSelector" -}}
app.kubernetes.io/name: argosy
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: exporter
{{- end }}

{{- /* The right of the account `name` to read canaries, and what their analyses measured, in the namespace of `environment`. */}}
{{- define "platform.readsCanaries" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .name }}-canaries
  namespace: {{ .environment.namespace | quote }}
  labels: {{- include "platform.labels" .root | nindent 4 }}
rules:
  - apiGroups: [argoproj.io]
    resources: [rollouts, analysisruns]
    verbs: [get, list]
  - apiGroups: [apps]
    resources: [replicasets]
    verbs: [get, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .name }}-canaries
  namespace: {{ .environment.namespace | quote }}
  labels: {{- include "platform.labels" .root | nindent 4 }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .name }}-canaries}
subjects:
  - {kind: ServiceAccount, name: {{ .name }}, namespace: {{ .root.Release.Namespace | quote }}}
{{- end }}

{{- define "platform.uiSelector" -}}
app.kubernetes.io/name: argosy
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: ui
{{- end }}

{{- define "platform.environment" -}}
- {name: ARGOSY_ROOT, value: /tmp/step}
- {name: HOME, value: /tmp}
- {name: DO_NOT_TRACK, value: "1"}
- {name: MLFLOW_DISABLE_TELEMETRY, value: "true"}
{{- end }}

{{- define "platform.container" -}}
resources:
  requests: {cpu: 50m, memory: 256Mi}
  limits: {cpu: "1", memory: 1Gi}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: scratch, mountPath: /tmp}
{{- end }}

{{- define "platform.volumes" -}}
- name: scratch
  emptyDir: {sizeLimit: 256Mi}
{{- end }}

{{- /* A nightly job that deletes what is old of the monitoring side: `kind` is its verb, `prune` its values. */}}
{{- define "platform.pruneJob" -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: argosy-{{ .kind }}-prune
  labels: {{- include "platform.labels" .root | nindent 4 }}
spec:
  schedule: {{ .prune.schedule | quote }}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    spec:
      # The next night is soon enough.
      backoffLimit: 0
      activeDeadlineSeconds: 3600
      template:
        metadata:
          labels: {{- include "platform.labels" .root | nindent 12 }}
        spec:
          serviceAccountName: argosy-predictions
          automountServiceAccountToken: false
          restartPolicy: Never
          securityContext:
            {{- include "platform.podSecurity" . | nindent 12 }}
          containers:
            - name: prune
              image: {{ include "platform.image" .root }}
              imagePullPolicy: {{ .root.Values.converge.pullPolicy }}
              command: [python, -m, argosy.cli.main]
              args: [{{ .kind }}, prune, --days={{ int64 .prune.days }}]
              env:
                {{- include "platform.environment" . | nindent 16 }}
              envFrom:
                - configMapRef: {name: argosy-endpoints}
                # Without it the pod reaches the bucket by an identity of its own.
                - secretRef: {name: argosy-predictions, optional: true}
              {{- include "platform.container" . | nindent 14 }}
          volumes:
            {{- include "platform.volumes" . | nindent 12 }}
{{- end }}

{{- /*
The namespaces in which pipelines run, as a list: the release's own, whose objects name none, and one for each team. A team has what it does
not say otherwise from the values of all.
*/}}
{{- define "platform.spaces" -}}
{{- $root := .Values -}}
{{- $spaces := list (dict "team" "" "namespace" "" "in" .Release.Namespace "submitters" $root.submitters "publishers" $root.publishers "endpoints" $root.endpoints "artifacts" $root.artifacts "secrets" $root.secrets "semaphores" $root.semaphores) -}}
{{- range $team := $root.teams -}}
{{- $endpoints := mergeOverwrite (deepCopy $root.endpoints) ($team.endpoints | default dict) -}}
{{- $artifacts := mergeOverwrite (deepCopy $root.artifacts) ($team.artifacts | default dict) -}}
{{- $semaphores := mergeOverwrite (deepCopy $root.semaphores) ($team.semaphores | default dict) -}}
{{- $namespace := include "platform.teamNamespace" $team -}}
{{- $spaces = append $spaces (dict "team" $team.name "namespace" $namespace "in" $namespace "submitters" ($team.submitters | default list) "publishers" (concat $root.publishers ($team.publishers | default list)) "endpoints" $endpoints "artifacts" $artifacts "secrets" ($team.secrets | default dict) "semaphores" $semaphores) -}}
{{- end -}}
{{- $spaces | toYaml -}}
{{- end }}

{{- define "platform.teamNamespace" -}}
{{- .namespace | default (printf "team-%s" .name) -}}
{{- end }}

{{- /* The namespaces of all teams, as a list in JSON. */}}
{{- define "platform.teamNamespaces" -}}
{{- $names := list -}}
{{- range .Values.teams }}{{ $names = append $names (include "platform.teamNamespace" .) }}{{ end -}}
{{- $names | toJson -}}
{{- end }}

{{- /* Metadata of an object of a namespace of pipelines: takes `name`, `space` and `root`. */}}
{{- define "platform.metadata" -}}
name: {{ .name }}
{{- with .space.namespace }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- include "platform.labels" .root | nindent 2 }}
  {{- with .space.team }}
  argosy.dev/team: {{ . | quote }}
  {{- end }}
{{- end }}
