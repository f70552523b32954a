{{- /* Nobody connects to the pods of a team; they connect to names, to Argo's API and to where the endpoints are, and to nothing else. */}}
{{- define "platform.teamNetwork" }}
{{- $policy := .root.Values.networkPolicy }}
{{- $endpoints := mergeOverwrite (deepCopy .root.Values.endpoints) (.team.endpoints | default dict) }}
{{- $artifacts := mergeOverwrite (deepCopy .root.Values.artifacts) (.team.artifacts | default dict) }}
{{- $urls := list $endpoints.trackingUri $endpoints.s3Endpoint (trimPrefix "gitea:" $endpoints.forgeUri) }}
{{- if $artifacts.bucket }}{{ $urls = append $urls (printf "%s://%s" (ternary "http" "https" $artifacts.insecure) $artifacts.endpoint) }}{{ end }}
{{- range $name, $value := $endpoints.extra }}{{ if regexMatch "(?i)^https?_proxy$" $name }}{{ $urls = append $urls $value }}{{ end }}{{ end }}
{{- $namespaces := list }}{{ $ports := $policy.ports }}
{{- range $urls }}
  {{- if regexMatch "^https?://" . }}
  {{- $url := urlParse . }}
  {{- $parts := splitList "." $url.hostname }}
  {{- $inside := or (regexMatch "^[^.]+[.][^.]+[.]svc([.].*)?$" $url.hostname) (and (eq (len $parts) 2) (not (regexMatch "^[0-9.:]+$" $url.hostname)) (not (hasPrefix "https" .))) }}
  {{- if $inside }}
  {{- $namespaces = append $namespaces (index $parts 1) }}
  {{- else }}
  {{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) }}
  {{- $ports = append $ports (int $port) }}
  {{- end }}
  {{- end }}
{{- end }}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "platform.metadata" (dict "name" "argosy-steps" "space" .space "root" .root) | nindent 2 }}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress:
    # Names.
    - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}}]
      ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
    {{- with $namespaces | uniq | sortAlpha }}
    # Endpoints of this cluster. A policy counts the ports of pods, which a Service's address does not say.
    - to:
        {{- range . }}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . | quote }}}}
        {{- end }}
    {{- end }}
    {{- if $policy.outside }}
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            {{- with $policy.blocked }}
            except: {{- toYaml . | nindent 14 }}
            {{- end }}
      ports:
        {{- range $ports | uniq }}
        - {port: {{ int . }}, protocol: TCP}
        {{- end }}
    {{- end }}
    {{- with concat $policy.egress (.team.egress | default list) }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
