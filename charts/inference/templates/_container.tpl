{{/* The container that answers. Its mounts come last, so that whoever includes it can add one. */}}
{{- define "inference.container" -}}
name: kserve-container
image: {{ .Values.image | default .Values.server.image | quote }}
args:
  - --bundle=/mnt/models/bundle
  - --digest={{ .Values.modelDigest }}
  - --model={{ .Values.model }}
  - --host=0.0.0.0
  # Health and metrics have a port and a thread of their own: callers cannot keep the kubelet and Prometheus out.
  - --operations-port=8081
  - --drain-seconds={{ int64 .Values.server.drainSeconds }}
{{- if .Values.answers.enabled }}
  - --request-seconds={{ int64 .Values.answers.requestSeconds }}
{{- end }}
{{- if gt (int64 .Values.server.workers) 1 }}
  - --workers={{ int64 .Values.server.workers }}
{{- end }}
{{- if .Values.unsigned }}
  - --unsigned
{{- else }}
  - --release={{ int64 .Values.version }}
  - --minimum-release=/etc/argosy-minimum/version
  - --signature=/etc/argosy/bundle.sig
  - --key=/etc/argosy/signing.pub.pem
{{- end }}
{{- with .Values.onlineStore }}
{{- if not $.Values.onlineFeatures.secret }}
  - --online=/mnt/models/online
{{- end }}
  - --online-digest={{ .digest }}
{{- end }}
{{- with include "inference.second" . | fromYaml }}
  - --second-bundle=/mnt/models/second
  - --second-digest={{ .modelDigest }}
  - --second-role={{ .role }}
  - --second-share={{ divf .percent 100 }}
{{- if not $.Values.unsigned }}
  - --second-release={{ int64 .version }}
  - --second-signature=/etc/argosy/second.sig
{{- end }}
{{- end }}
{{- if .Values.predictionLog.enabled }}
  - --environment={{ .Values.environment }}
{{- end }}
{{- with .Values.analysis.predictions.edges }}
  - --score-edges={{ join "," . }}
{{- end }}
{{- if .Values.grpc.enabled }}
  - --grpc-port=9000
{{- end }}
{{- if .Values.access.enabled }}
  - --access=/etc/argosy-access/access.yaml
{{- end }}
{{- if .Values.tls.secret }}
  - --tls-certificate=/etc/argosy-tls/tls.crt
  - --tls-key=/etc/argosy-tls/tls.key
{{- end }}
{{- with .Values.stream }}
{{- if .from }}
  - --stream-from={{ .from }}
  - --stream-to={{ .to }}
{{- if .refusals }}
  - --stream-refusals={{ .refusals }}
{{- end }}
{{- if .group }}
  - --stream-group={{ .group }}
{{- end }}
{{- end }}
{{- end }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
imagePullPolicy: {{ .Values.server.pullPolicy }}
command: [python, -m, argosy.serving]
# What it ended with is in the pod's status: `kubectl describe pod` says it.
terminationMessagePolicy: FallbackToLogsOnError
ports:
  - {name: http, containerPort: 8080, protocol: TCP}
{{- if .Values.grpc.enabled }}
  - {name: grpc, containerPort: 9000, protocol: TCP}
{{- end }}
{{- if .Values.stream.from }}
envFrom:
  - secretRef: {name: {{ .Values.stream.secret | quote }}}
{{- end }}
env:
  - {name: HOME, value: /tmp}
  - {name: ARGOSY_HOME, value: /tmp/argosy}
{{- with .Values.certificates }}
  - {name: ARGOSY_CA_CERTIFICATES, value: {{ . | quote }}}
{{- end }}
{{- with .Values.predictionLog }}
{{- if .enabled }}
  - {name: ARGOSY_PREDICTIONS_URI, value: {{ include "inference.predictionsUri" $ | quote }}}
  - {name: ARGOSY_PREDICTIONS_SPOOL, value: /var/argosy/spool}
  # Below the size of the volume: beyond that the pod would be evicted.
  - {name: ARGOSY_PREDICTIONS_SPOOL_MEBIBYTES, value: {{ div (mul (int64 .spoolMebibytes) 3) 4 | quote }}}
  - {name: ARGOSY_PREDICTIONS_SHIP_SECONDS, value: {{ int64 .shipSeconds | quote }}}
  - {name: ARGOSY_HASH_KEY_FILE, value: /etc/argosy-ids/ids.key}
{{- if not .claim }}
{{- $endpoint := .endpoint | default $.Values.storage.endpoint }}
{{- $keys := list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" "AWS_SESSION_TOKEN" "AWS_REGION" "AWS_ENDPOINT_URL" }}
{{- /* What server.env names is not named twice: an API server refuses that. */}}
{{- range $.Values.server.env }}{{ $keys = without $keys .name }}{{ end }}
{{- if and $endpoint (has "AWS_ENDPOINT_URL" $keys) }}
  - {name: AWS_ENDPOINT_URL, value: {{ $endpoint | quote }}}
{{- $keys = without $keys "AWS_ENDPOINT_URL" }}
{{- end }}
{{- if .credentialsSecret }}
{{- range $keys }}
  - name: {{ . }}
    valueFrom: {secretKeyRef: {name: {{ $.Values.predictionLog.credentialsSecret | quote }}, key: {{ . }}, optional: true}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.onlineStore .Values.onlineFeatures.secret }}
  - name: ARGOSY_ONLINE_STORE_URI
    valueFrom: {secretKeyRef: {name: {{ .Values.onlineFeatures.secret | quote }}, key: ARGOSY_ONLINE_STORE_URI}}
{{- end }}
{{- with .Values.answers.chatSecret }}
  - name: ARGOSY_CHAT_KEY
    valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: ARGOSY_CHAT_KEY}}
{{- end }}
{{- if .Values.access.enabled }}
  - name: ARGOSY_RATE_LIMITS_URI
    valueFrom: {secretKeyRef: {name: {{ .Values.access.secret | quote }}, key: ARGOSY_RATE_LIMITS_URI, optional: true}}
{{- end }}
{{- with .Values.telemetry }}
{{- if .endpoint }}
  - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }}}
  - {name: OTEL_TRACES_SAMPLER, value: {{ .sampler | quote }}}
  - {name: OTEL_TRACES_SAMPLER_ARG, value: {{ .ratio | quote }}}
  - {name: OTEL_RESOURCE_ATTRIBUTES, value: {{ printf "deployment.environment.name=%s" $.Values.environment | quote }}}
{{- with .headersSecret }}
  - name: OTEL_EXPORTER_OTLP_HEADERS
    valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: OTEL_EXPORTER_OTLP_HEADERS}}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.server.env }}
  {{- toYaml . | nindent 2 }}
{{- end }}
# A pod that loads is not killed for it; one that hangs is. Readiness fails first when a pod is told to stop.
startupProbe:
  httpGet: {path: /healthz, port: 8081}
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: {{ int64 .Values.server.startSeconds }}
livenessProbe:
  httpGet: {path: /healthz, port: 8081}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: 8081}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
securityContext:
  {{- include "inference.containerSecurity" . | nindent 2 }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
{{- if not .Values.unsigned }}
  - {name: release, mountPath: /etc/argosy, readOnly: true}
  - {name: minimum, mountPath: /etc/argosy-minimum, readOnly: true}
{{- end }}
{{- if .Values.access.enabled }}
  - {name: access, mountPath: /etc/argosy-access, readOnly: true}
{{- end }}
{{- if .Values.tls.secret }}
  - {name: tls, mountPath: /etc/argosy-tls, readOnly: true}
{{- end }}
{{- if .Values.predictionLog.enabled }}
  - {name: spool, mountPath: /var/argosy/spool}
  - {name: ids, mountPath: /etc/argosy-ids, readOnly: true}
{{- if .Values.predictionLog.claim }}
  - {name: predictions, mountPath: /var/argosy/predictions}
{{- end }}
{{- end }}
{{- end }}

{{/* Where records are shipped. */}}
{{- define "inference.predictionsUri" -}}
{{- $bucket := regexFind "^s3://[^/]+" .Values.storageUri -}}
{{- if .Values.predictionLog.claim -}}
file:///var/argosy/predictions
{{- else -}}
{{ .Values.predictionLog.uri | default (printf "%s/predictions" $bucket) }}
{{- end -}}
{{- end }}

{{- define "inference.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "inference.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- if not .Values.unsigned }}
- name: release
  downwardAPI:
    items:
      - path: bundle.sig
        fieldRef: {fieldPath: "metadata.annotations['argosy.dev/bundle-signature']"}
      - path: signing.pub.pem
        fieldRef: {fieldPath: "metadata.annotations['argosy.dev/verifying-key']"}
      {{- if include "inference.second" . }}
      - path: second.sig
        fieldRef: {fieldPath: "metadata.annotations['argosy.dev/second-signature']"}
      {{- end }}
# Not of the pod template: it holds for the pods of earlier rollouts too, and raising it starts no canary.
- name: minimum
  configMap: {name: {{ include "inference.name" . }}-minimum}
{{- end }}
{{- if .Values.access.enabled }}
# As files: a key that is added or withdrawn reaches pods that run. Optional, so that where it is not there the server says what to do; a
# pod that the kubelet keeps waiting says nothing.
- name: access
  secret: {secretName: {{ .Values.access.secret | quote }}, optional: true}
{{- end }}
{{- with .Values.tls.secret }}
- name: tls
  secret: {secretName: {{ . | quote }}}
{{- end }}
{{- if .Values.predictionLog.enabled }}
# It outlives a container that is killed, and its next one ships what is in it.
- name: spool
  {{- /* As KServe writes it back: Argo CD would call 2048Mi out of sync with the 2Gi it becomes, for ever. */}}
  {{- $mebibytes := int64 .Values.predictionLog.spoolMebibytes }}
  emptyDir: {sizeLimit: {{ if mod $mebibytes 1024 }}{{ $mebibytes }}Mi{{ else }}{{ div $mebibytes 1024 }}Gi{{ end }}}
- name: ids
  secret: {secretName: {{ .Values.predictionLog.hashKeySecret | quote }}}
{{- with .Values.predictionLog.claim }}
- name: predictions
  persistentVolumeClaim: {claimName: {{ . | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{/* What a pod has whoever makes it: where it runs and as whom. */}}
{{- define "inference.pod" -}}
serviceAccountName: {{ include "inference.name" . }}
automountServiceAccountToken: false
{{- /* After the drain time what came is answered: a request to a language model has a budget of its own, and 10 s to spare. */}}
terminationGracePeriodSeconds: {{ add .Values.server.drainSeconds (ternary (max 30 (add .Values.answers.requestSeconds 10)) 30 .Values.answers.enabled) }}
securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
# Pods on different nodes where that is possible.
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "inference.selector" . | nindent 8 }}
{{- with .Values.scheduling.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.scheduling.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.scheduling.priorityClass }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.server.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* The whole pod template, where KServe does not make it. */}}
{{- define "inference.podTemplate" -}}
metadata:
  labels:
    {{- include "inference.selector" . | nindent 4 }}
    {{- include "inference.labels" . | nindent 4 }}
  annotations:
    {{- include "inference.podAnnotations" . | nindent 4 }}
spec:
  {{- include "inference.pod" . | nindent 2 }}
  initContainers:
    - name: fetch
      image: {{ .Values.image | default .Values.server.image | quote }}
      imagePullPolicy: {{ .Values.server.pullPolicy }}
      command: [python, -m, argosy.serving.fetch]
      args:
        - {{ .Values.storageUri | quote }}
        - /mnt/models/bundle
        {{- if not .Values.onlineFeatures.secret }}
        {{- with .Values.onlineStore }}
        - {{ .uri | quote }}
        - /mnt/models/online
        {{- end }}
        {{- end }}
        {{- with include "inference.second" . | fromYaml }}
        - {{ .storageUri | quote }}
        - /mnt/models/second
        {{- end }}
      env:
        - {name: HOME, value: /tmp}
        - {name: ARGOSY_STORE_URI, value: {{ .Values.storage.uri | quote }}}
      {{- with .Values.certificates }}
        - {name: ARGOSY_CA_CERTIFICATES, value: {{ . | quote }}}
      {{- end }}
      {{- with .Values.storage.endpoint }}
        - {name: AWS_ENDPOINT_URL, value: {{ . | quote }}}
      {{- end }}
      {{- with .Values.server.env }}
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.storage.credentialsSecret }}
      envFrom:
        - secretRef: {name: {{ . | quote }}}
      {{- end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        {{- include "inference.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        - {name: models, mountPath: /mnt/models}
  containers:
    -
      {{- include "inference.container" . | nindent 6 }}
        - {name: models, mountPath: /mnt/models, readOnly: true}
  volumes:
    {{- include "inference.volumes" . | nindent 4 }}
    - name: models
      emptyDir: {sizeLimit: 4Gi}
{{- end }}
