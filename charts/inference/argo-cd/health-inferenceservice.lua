-- Health of an InferenceService behind a Rollout, for Argo CD's resource.customizations.health.serving.kserve.io_InferenceService.
-- A health check sees one object only. KServe's Ready is about its own Deployment, which a Rollout keeps at 0 pods, so this says no more than
-- whether KServe has taken in what git asks for; whether pods answer is said by the Rollout beside it, whose check Argo CD has built in.
-- An InferenceService that no Rollout stands behind is judged by its conditions.
local status = obj.status or {}
local annotations = obj.metadata.annotations or {}

if (status.observedGeneration or 0) < (obj.metadata.generation or 0) then
  return { status = "Progressing", message = "KServe has not taken in this generation yet" }
end

local ready = nil
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Ready" then ready = condition end
  -- A runtime that is not there, a spec that makes no pods: no Rollout would notice.
  if condition.severity ~= "Info" and condition.status == "False" and condition.reason == "InvalidPredictorSpec" then
    return { status = "Degraded", message = condition.message or condition.reason }
  end
end
local transition = (status.modelStatus or {}).transitionStatus
if transition == "InvalidSpec" then
  local failure = (status.modelStatus or {}).lastFailureInfo or {}
  return { status = "Degraded", message = failure.message or "KServe refuses this InferenceService" }
end

if annotations["serving.kserve.io/autoscalerClass"] == "external" and (obj.metadata.labels or {})["argosy.dev/model"] then
  return { status = "Healthy", message = "KServe has taken it in; the Rollout says whether it serves" }
end
if ready == nil or ready.status == "Unknown" then
  return { status = "Progressing", message = ready and ready.message or "waiting for KServe" }
end
if ready.status == "True" then
  return { status = "Healthy", message = "ready" }
end
return { status = "Degraded", message = ready.message or ready.reason or "not ready" }
