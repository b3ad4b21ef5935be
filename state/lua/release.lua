#!lua flags=allow-oom
-- Give a lease up.
--
-- KEYS    1 lease
-- ARGV    holder, token
-- Result  1, or 0 when the lease was lost before

local lease = redis.call('HMGET', KEYS[1], 'holder', 'token')
if lease[1] ~= ARGV[1] or lease[2] ~= ARGV[2] then
  return 0
end
return redis.call('DEL', KEYS[1])
