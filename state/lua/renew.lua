#!lua flags=allow-oom
-- Extend a lease. One that ran out and that nobody took is still its holder's.
--
-- KEYS    1 lease
-- ARGV    holder, token, time to live in ms
-- Result  1, or 0 when the lease was lost

local lease = redis.call('HMGET', KEYS[1], 'holder', 'token')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then
  return 0
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HSET', KEYS[1], 'until_ms', string.format('%.0f', now_ms + tonumber(ARGV[3])))
return 1
