#!lua flags=no-writes
-- Read the acts that wait, at one moment.
--
-- KEYS    1 acts, 2 acts order
-- ARGV    none
-- Result  id, body, id, body, ..., oldest first

local result = {}
for _, id in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  table.insert(result, id)
  table.insert(result, redis.call('HGET', KEYS[1], id))
end
return result
