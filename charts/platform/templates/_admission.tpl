{{- /*
What the policies share. An expression lists what offends, one text each, so that the message can name it: `[["template a: x:1"], []]`.
*/}}
{{- define "admission.registries" -}}
{{- $given := .Values.admission.registries -}}
{{- if and (not $given) .Values.registry }}{{ $given = list (printf "%s/" .Values.registry) }}{{ end -}}
{{- $given | toJson -}}
{{- end }}

{{- /* Images that controllers put into pods, by the beginnings of their names: `names`, and the same in the mirror. */}}
{{- define "admission.guests" -}}
{{- $names := .names -}}
{{- if .root.Values.registry -}}
{{- range .names -}}
{{- $parts := splitList "/" . -}}
{{- $path := ternary (rest $parts | join "/") . (or (contains "." (first $parts)) (contains ":" (first $parts))) -}}
{{- $names = append $names (printf "%s/%s" $.root.Values.registry $path) -}}
{{- end -}}
{{- end -}}
{{- $names | uniq | toJson -}}
{{- end }}

{{- /* One rule: `name` of the variable that lists what offends, and what to `say`. */}}
{{- define "admission.rule" }}
- expression: variables.{{ .name }}.all(found, size(found) == 0)
  messageExpression: {{ printf "variables.%s.filter(found, size(found) > 0)[0][0] + %q" .name (printf ": %s" .say) | toJson }}
  message: {{ .say | toJson }}
{{- end }}

{{- /* True where the container `c` takes an image by tag; Argo's own, which `own` lists, may be. */}}
{{- define "admission.tag" -}}
!c.?image.orValue("").matches("@sha256:[0-9a-f]{64}$")
{{- end }}

{{- define "admission.elsewhere" -}}
size(variables.registries) > 0 && !variables.registries.exists(r, c.?image.orValue("").startsWith(r))
{{- end }}

{{- /* True where a container's own security context gives it more than it needs. */}}
{{- define "admission.privileged" -}}
c.?securityContext.privileged.orValue(false) || c.?securityContext.allowPrivilegeEscalation.orValue(false) || c.?securityContext.runAsNonRoot.orValue(true) == false || c.?securityContext.runAsUser.orValue(1) == 0 || size(c.?securityContext.capabilities.?add.orValue([])) > 0 || c.?securityContext.procMount.orValue("Default") != "Default" || size(c.?volumeDevices.orValue([])) > 0 || c.?ports.orValue([]).exists(p, has(p.hostPort))
{{- end }}

{{- /* The Secrets that the container `c` names in its environment. */}}
{{- define "admission.secretsOf" -}}
(c.?env.orValue([]).filter(e, has(e.valueFrom) && has(e.valueFrom.secretKeyRef)).map(e, e.valueFrom.secretKeyRef.name) + c.?envFrom.orValue([]).filter(e, has(e.secretRef)).map(e, e.secretRef.name))
{{- end }}

{{- /* Variables by which a step would run other code, or send its keys elsewhere, than what was installed as it was compiled. */}}
{{- define "admission.variables" -}}
^(ARGOSY_(ROOT|SPARK_(TOKEN|AUTHORITY|NAMESPACE|IMAGE|POD|PLACEMENT)|PROVENANCE|MEMORY_LIMIT|ASKED_BY|WORKFLOW(_NAMESPACE|_CREATED|_LABELS)?|PARAMETER_[A-Z0-9_]+|INPUT_[A-Z0-9_]+)|HOME|DO_NOT_TRACK|FEAST_USAGE|GX_ANALYTICS_ENABLED|MLFLOW_DISABLE_TELEMETRY)$
{{- end }}

{{- /* The accounts of steps that may start executors, each with the Secrets that those may name. */}}
{{- define "spark.owners" -}}
argosy-scores: [argosy-scores, argosy-spark]
argosy-spark: [argosy-spark]
{{- end }}

{{- /* True where a step that asks Spark made the request, in its own namespace. */}}
{{- define "spark.ofADriver" -}}
request.userInfo.username in ["system:serviceaccount:" + request.namespace + ":argosy-scores", "system:serviceaccount:" + request.namespace + ":argosy-spark"]
{{- end }}

{{- define "admission.steps" -}}
{{ .Files.Get "files/steps.yaml" | fromYaml | toJson }}
{{- end }}

{{- define "admission.keyless" -}}
{{ (index (.Files.Get "files/steps.yaml" | fromYaml) "argosy-step").modules | toJson }}
{{- end }}

{{- define "admission.binding" }}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .name }}
  labels: {{- include "platform.labels" .root | nindent 4 }}
spec:
  policyName: {{ .name }}
  validationActions: [{{ .action | default .root.Values.admission.action }}]
  matchResources:
    namespaceSelector:
      # By names, which nobody can take off: a label of a namespace is its owner's.
      matchExpressions:
        - {key: kubernetes.io/metadata.name, operator: In, values: {{ .namespaces }}}
{{- end }}

{{- /* Variables by which a process loads other code; those that `server.env` of the chart inference refuses. */}}
{{- define "admission.loaders" -}}
^(LD_.*|DYLD_.*|GLIBC_TUNABLES|GCONV_PATH|PYTHON(PATH|HOME|STARTUP|INSPECT|BREAKPOINT|USERBASE|PLATLIBDIR|WARNINGS|EXECUTABLE|PYCACHEPREFIX|CASEOK)|PATH|BASH_ENV|ENV|OPENSSL_(CONF|MODULES|ENGINES))$
{{- end }}

{{- /* The Secrets with which Argo's own containers open artifact repositories; they are in the pods of every step. */}}
{{- define "admission.artifactSecrets" -}}
{{- $names := concat (list .Values.artifacts.secret) .Values.admission.artifactSecrets -}}
{{- range .Values.teams }}{{ with .artifacts }}{{ with .secret }}{{ $names = append $names . }}{{ end }}{{ end }}{{ end -}}
{{- without $names "" | uniq | toJson -}}
{{- end }}
