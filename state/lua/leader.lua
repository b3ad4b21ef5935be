#!lua flags=no-writes
-- Say who has the lease of a site.
--
-- KEYS    1 lease
-- Result  holder, since when in ms; nothing when nobody has it

local lease = redis.call('HMGET', KEYS[1], 'holder', 'since_ms', 'until_ms')
local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if not lease[1] or not lease[2] or tonumber(lease[3]) <= now_ms then
  return {}
end
return {lease[1], lease[2]}
