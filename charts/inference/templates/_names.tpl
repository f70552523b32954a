{{- define "inference.name" -}}
{{ .Values.model | replace "_" "-" }}
{{- end }}

{{/* What every pod of the model carries, old version and new. KServe decides it in its mode; the selector of a Rollout cannot change. */}}
{{- define "inference.selector" -}}
app: {{ if eq .Values.mode "kserve" }}isvc.{{ include "inference.name" . }}-predictor{{ else }}{{ include "inference.name" . }}-server{{ end }}
{{- end }}

{{- define "inference.labels" -}}
app.kubernetes.io/name: inference
app.kubernetes.io/instance: {{ include "inference.name" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
argosy.dev/model: {{ .Values.model }}
argosy.dev/environment: {{ .Values.environment }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* On pods: which version they are. A rollback and an abort bring these back with the pod template. The signature reaches the server as a
file through the downward API, so that every revision keeps its own; a ConfigMap would be pruned while old pods still need it. */}}
{{- define "inference.podAnnotations" -}}
argosy.dev/model-version: {{ int64 .Values.version | quote }}
argosy.dev/model-digest: {{ .Values.modelDigest }}
{{- with .Values.evidenceDigest }}
argosy.dev/evidence-digest: {{ . }}
{{- end }}
{{- with .Values.policyDigest }}
argosy.dev/policy-digest: {{ . }}
{{- end }}
{{- if not .Values.unsigned }}
argosy.dev/bundle-signature: {{ .Values.signature | toJson }}
argosy.dev/verifying-key: {{ .Values.verifyingKey | toJson }}
{{- end }}
{{- with include "inference.second" . | fromYaml }}
argosy.dev/second-version: {{ int64 .version | quote }}
argosy.dev/second-digest: {{ .modelDigest }}
{{- if not $.Values.unsigned }}
argosy.dev/second-signature: {{ .signature | toJson }}
{{- end }}
{{- end }}
{{- end }}

{{/* The second version; nothing where there is none, or what was tried is what is served by now. */}}
{{- define "inference.second" -}}
{{- with .Values.second }}
{{- if ne .modelDigest $.Values.modelDigest }}
{{- toYaml . }}
{{- end }}
{{- end }}
{{- end }}
