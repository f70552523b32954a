{{/* What share of the requests a step really gets where pods are counted: "<canary> <all>" for the weight in `weight`. These are the
choices of Argo Rollouts (approximateWeightedCanaryStableReplicaCounts): whole pods, rounded up or down, of `replicas` or one more; the
nearest wins, and of equals the first. tests/charts/shares.json holds what its own code answers. */}}
{{- define "inference.share" -}}
{{- $replicas := int .replicas -}}{{- $weight := int .weight -}}
{{- $up := int (div (add (mul $replicas $weight) 99) 100) -}}
{{- $down := int (div (mul $replicas $weight) 100) -}}
{{- $choices := list -}}
{{- if lt $up $replicas }}{{ $choices = append $choices (list $up $replicas) }}{{ end -}}
{{- if and (gt $down 0) (ne (int (mod (mul $replicas $weight) 100)) 50) }}{{ $choices = append $choices (list $down $replicas) }}{{ end -}}
{{- if gt (int .maxSurge) 0 -}}
  {{- $more := int (add $replicas 1) -}}
  {{- $choices = append $choices (list $up $more) -}}
  {{- if and (gt $down 0) (ne (int (mod (mul $more $weight) 100)) 50) }}{{ $choices = append $choices (list $down $more) }}{{ end -}}
{{- end -}}
{{- $best := list 0 $replicas -}}{{- $least := 1000.0 -}}
{{- range $choices -}}
  {{- $off := subf (divf (mulf (index . 0) 100.0) (index . 1)) $weight -}}
  {{- $off = maxf $off (mulf $off -1.0) -}}
  {{- if lt $off $least }}{{ $best = . }}{{ $least = $off }}{{ end -}}
{{- end -}}
{{ index $best 0 }} {{ index $best 1 }}
{{- end }}

{{- define "inference.routed" -}}
{{- if and (eq .Values.strategy "canary") (or .Values.trafficRouting.gateway.parentRefs .Values.trafficRouting.other) }}yes{{ end -}}
{{- end }}

{{/* A line for each step whose share is not the one asked for. */}}
{{- define "inference.sharesOff" -}}
{{- if and (eq .Values.strategy "canary") (not (include "inference.routed" .)) -}}
{{- range $weight := .Values.canary.steps -}}
{{- if lt (int $weight) 100 -}}
{{- $pair := splitList " " (include "inference.share" (dict "replicas" $.Values.replicas "weight" $weight "maxSurge" $.Values.canary.maxSurge)) -}}
{{- $canary := float64 (index $pair 0) -}}{{- $all := float64 (index $pair 1) -}}
{{- $share := divf (mulf $canary 100.0) $all -}}
{{- if ne $share (float64 $weight) }}
{{ $weight }} {{ printf "%.1f" $share }} {{ index $pair 0 }} {{ index $pair 1 }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
