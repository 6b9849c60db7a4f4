-- Whether an object of ours is healthy: the operator sets the same conditions on every kind.
local status = obj.status
if status == nil or status.observedGeneration == nil or status.observedGeneration < obj.metadata.generation then
  return {status = "Progressing", message = "Waiting for the operator"}
end
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready = conditions.Ready
if ready == nil then
  return {status = "Progressing", message = "Waiting for the operator"}
end
if ready.reason == "Suspended" then
  return {status = "Suspended", message = ready.message}
end
if ready.status == "True" then
  return {status = "Healthy", message = ready.message}
end
local reconciling = conditions.Reconciling
if reconciling ~= nil and reconciling.status == "True" then
  return {status = "Progressing", message = ready.message}
end
return {status = "Degraded", message = ready.message}
