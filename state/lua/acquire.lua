#!lua flags=allow-oom
-- Take the lease of a site, unless another holder's has not run out.
--
-- KEYS    1 lease, 2 token
-- ARGV    holder, time to live in ms
-- Result  the new fencing token, or 0 while another holder has the lease

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local lease = redis.call('HMGET', KEYS[1], 'holder', 'until_ms')
if lease[1] and lease[1] ~= ARGV[1] and tonumber(lease[2]) > now_ms then
  return 0
end

local token = redis.call('INCR', KEYS[2])
local until_ms = string.format('%.0f', now_ms + tonumber(ARGV[2]))
local since_ms = string.format('%.0f', now_ms)
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'token', token, 'until_ms', until_ms, 'since_ms', since_ms)
return token
