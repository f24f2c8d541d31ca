-- The health of Wardgate's objects for Argo CD. Their statuses keep to kstatus: observedGeneration, Ready, Stalled.
local seen = obj.status ~= nil and obj.status.observedGeneration == obj.metadata.generation
if not seen or obj.status.conditions == nil then
  return { status = "Progressing", message = "Wardgate has not looked at this generation yet." }
end

local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end
local accepted, ready = conditions["Accepted"], conditions["Ready"]

if accepted ~= nil and accepted.status == "False" then
  return { status = "Degraded", message = accepted.message }
end
if ready == nil then
  return { status = "Progressing", message = "Wardgate has not looked at this generation yet." }
end
if ready.status == "True" then
  -- Warnings do not degrade an object, and are shown.
  return { status = "Healthy", message = accepted ~= nil and accepted.message or ready.message }
end
return { status = "Progressing", message = ready.message }
