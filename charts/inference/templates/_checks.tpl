{{/* What a schema cannot say: values that contradict each other. Every line says what, why, and what to do. */}}
{{- define "inference.check" -}}
{{- $v := .Values -}}
{{- if and $v.unsigned (eq $v.environment "production") }}{{ fail "unsigned: production serves nothing unsigned; take the value out, or try the model in another environment" }}{{ end -}}
{{- range $v.server.env -}}
  {{- if regexMatch "^(LD_.*|DYLD_.*|GLIBC_TUNABLES|GCONV_PATH|PYTHON(PATH|HOME|STARTUP|INSPECT|BREAKPOINT|USERBASE|PLATLIBDIR|WARNINGS|EXECUTABLE|PYCACHEPREFIX|CASEOK)|PATH|HOME|BASH_ENV|ENV|OPENSSL_(CONF|MODULES|ENGINES)|ARGOSY_.*)$" .name }}{{ fail (printf "server.env: %s would make the server load other code, or trust another place, than what was reviewed; bring it into the image, or use the chart's own value" .name) }}{{ end -}}
{{- end -}}
{{- if $v.telemetry.endpoint -}}
  {{- range $v.server.env -}}
    {{- if has .name (list "OTEL_EXPORTER_OTLP_ENDPOINT" "OTEL_TRACES_SAMPLER" "OTEL_TRACES_SAMPLER_ARG" "OTEL_RESOURCE_ATTRIBUTES") }}{{ fail (printf "server.env: %s is what telemetry sets too, and an API server refuses a name that comes twice; take it out of server.env, or telemetry.endpoint" .name) }}{{ end -}}
  {{- end -}}
{{- end -}}
{{- with $v.resources.limits.cpu -}}
  {{- $millis := ternary (trimSuffix "m" (toString .) | float64) (mulf (float64 .) 1000.0) (hasSuffix "m" (toString .)) -}}
  {{- if and (gt (int $v.server.workers) 1) (lt $millis (mulf (float64 $v.server.workers) 1000.0)) }}{{ fail (printf "server.workers is %v, but resources.limits.cpu is %v: they would wait for each other; give each a core (resources.limits.cpu: %v) and its memory, or take workers out" $v.server.workers . $v.server.workers) }}{{ end -}}
{{- end -}}
{{- if not $v.unsigned -}}
  {{- if not $v.signature }}{{ fail "signature: nothing unsigned is served; pass the file beside version.yaml (--set-file signature=evidence/bundle.sig), or unsigned: true for a try" }}{{ end -}}
  {{- if not $v.verifyingKey }}{{ fail "verifyingKey: the signature cannot be checked without it; pass the environment repo's key (--set-file verifyingKey=keys/signing.pub.pem)" }}{{ end -}}
{{- end -}}
{{- if not ($v.image | default $v.server.image) }}{{ fail "server.image: no image serves the model; name the image `serve` by digest, as images/images.lock has it (<registry>/argosy/serve@sha256:…)" }}{{ end -}}
{{- if lt (int64 $v.version) (int64 $v.minimumVersion) }}{{ fail (printf "version is %d, but minimumVersion is %d: nothing older may be served; promote a newer version, or lower minimumVersion by a request of its own" (int64 $v.version) (int64 $v.minimumVersion)) }}{{ end -}}
{{- if and (eq $v.strategy "rolling") (ne $v.mode "plain") }}{{ fail "strategy: rolling needs mode: plain; with KServe the Rollout makes the pods" }}{{ end -}}
{{- if and (eq $v.mode "plain") (not (hasPrefix (printf "%s/" (trimSuffix "/" $v.storage.uri)) $v.storageUri)) }}{{ fail (printf "storage.uri is %q, but mode: plain fetches %s; name the model store that it is in, as pipelines do (ARGOSY_STORE_URI)" $v.storage.uri $v.storageUri) }}{{ end -}}
{{- if $v.answers.enabled -}}
  {{- if and $v.analysis.enabled (ne $v.strategy "rolling") (not $v.analysis.sequential.enabled) }}{{ fail "analysis.sequential.enabled: answers are judged one by one, and a fixed window would decide by chance; set it to true for a model with answers.enabled" }}{{ end -}}
  {{- if or $v.stream.from $v.second }}{{ fail "answers.enabled: a stream and a second version are for models of tables; take stream, or second.yaml, out" }}{{ end -}}
{{- else if or $v.answers.chatSecret $v.answers.egress }}{{ fail "answers: chatSecret and egress are for a model that answers questions; set answers.enabled, or take them out" }}{{ end -}}
{{- if $v.predictionLog.enabled -}}
  {{- if not (or $v.predictionLog.uri $v.predictionLog.claim (hasPrefix "s3://" $v.storageUri)) }}{{ fail "predictionLog.uri: predictions are kept by default, and storageUri has no bucket to keep them in; name one (s3://<bucket>/<prefix>), or a claim, or turn predictionLog.enabled off" }}{{ end -}}
  {{- if and $v.predictionLog.uri $v.predictionLog.claim }}{{ fail "predictionLog: uri and claim are both given; records are shipped to one place" }}{{ end -}}
{{- end -}}
{{- if ne (empty $v.stream.from) (empty $v.stream.to) }}{{ fail "stream: from and to go together; name the topic that is answered, and the one that its answers go to" }}{{ end -}}
{{- if and $v.trafficRouting.gateway.parentRefs $v.trafficRouting.other }}{{ fail "trafficRouting: gateway and other are both given; one router splits the requests" }}{{ end -}}
{{- if and $v.autoscaling.enabled (lt (int $v.autoscaling.maxReplicas) (int $v.replicas)) }}{{ fail (printf "autoscaling.maxReplicas is %v, below replicas (%v), the least" $v.autoscaling.maxReplicas $v.replicas) }}{{ end -}}
{{- if eq $v.strategy "canary" }}{{ include "inference.checkSteps" . }}{{ end -}}
{{- if and $v.analysis.enabled (ne $v.strategy "rolling") }}{{ include "inference.checkSamples" . }}{{ end -}}
{{- end }}

{{- define "inference.checkSteps" -}}
{{- $before := 0 -}}
{{- range .Values.canary.steps -}}
  {{- if le (int .) $before }}{{ fail (printf "canary.steps: %v comes after %v; shares ascend" . $before) }}{{ end -}}
  {{- $before = int . -}}
{{- end -}}
{{- if and (eq (int .Values.canary.maxSurge) 0) (eq (int .Values.canary.maxUnavailable) 0) }}{{ fail "canary: maxSurge and maxUnavailable are both 0, so no pod could ever be replaced; let one of them be 1" }}{{ end -}}
{{- range $line := splitList "\n" (include "inference.sharesOff" . | trim) -}}
  {{- if $line -}}
  {{- $part := splitList " " $line -}}
  {{- $off := subf (float64 (index $part 1)) (float64 (index $part 0)) -}}
  {{- if gt (maxf $off (mulf $off -1.0)) (float64 $.Values.canary.tolerance) -}}
    {{- fail (printf "canary.steps: with %v replicas, %s %% of the requests would be %s %% (%s of %s pods), more than canary.tolerance (%v points) away; raise replicas, name other steps, use trafficRouting, or raise the tolerance" $.Values.replicas (index $part 0) (index $part 1) (index $part 2) (index $part 3) $.Values.canary.tolerance) -}}
  {{- end -}}
  {{- end -}}
{{- end -}}
{{- end }}

{{/* Fewer would decide by chance: one error alone would be beyond the limit; equal distributions would differ by more in one run of a thousand
(Kolmogorov–Smirnov for two samples of n: 1.95 * sqrt(2 / n)). */}}
{{- define "inference.checkSamples" -}}
{{- $a := .Values.analysis -}}
{{- $requests := int (ceil (divf 1.0 $a.errors.maximumRatio)) -}}
{{- if lt (int $a.minimumRequests) $requests }}{{ fail (printf "analysis.minimumRequests is %v, but below %v one error alone is beyond errors.maximumRatio (%v); raise it" $a.minimumRequests $requests $a.errors.maximumRatio) }}{{ end -}}
{{- if $a.sequential.enabled -}}
  {{- if ge (float64 $a.sequential.healthyRatio) (float64 $a.errors.maximumRatio) }}{{ fail (printf "analysis.sequential.healthyRatio is %v, and errors.maximumRatio (%v) is no more: between them nothing could be told apart; lower it" $a.sequential.healthyRatio $a.errors.maximumRatio) }}{{ end -}}
  {{- if ne $a.undecided "pause" }}{{ fail (printf "analysis.undecided is %s, but a sequential analysis that could not decide asks a person; leave it at pause" $a.undecided) }}{{ end -}}
{{- end -}}
{{- if and $a.predictions.enabled (not .Values.answers.enabled) -}}
  {{- $distance := float64 $a.predictions.maximumDistance -}}
  {{- $rows := int (ceil (divf 7.605 (mulf $distance $distance))) -}}
  {{- if lt (int $a.predictions.minimum) $rows }}{{ fail (printf "analysis.predictions.minimum is %v, but below %v chance alone goes beyond predictions.maximumDistance (%v); raise one of them" $a.predictions.minimum $rows $a.predictions.maximumDistance) }}{{ end -}}
{{- end -}}
{{- if lt (int $a.windowSeconds) (int $a.intervalSeconds) }}{{ fail (printf "analysis.windowSeconds is %v, shorter than intervalSeconds (%v), so some requests would never be looked at" $a.windowSeconds $a.intervalSeconds) }}{{ end -}}
{{- end }}
