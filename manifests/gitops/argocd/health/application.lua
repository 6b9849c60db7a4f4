-- Argo CD's own Applications: one that holds others waits for each wave only if it knows this.
local health = obj.status ~= nil and obj.status.health or nil
if health == nil or health.status == nil then
  return {status = "Progressing", message = ""}
end
return {status = health.status, message = health.message or ""}
