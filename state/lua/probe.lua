-- Write a key and remove it in the same step: what it costs is what a commit costs, and nothing is left of it.
--
-- KEYS    1 the key
-- Result  nothing

redis.call('SET', KEYS[1], '')
redis.call('DEL', KEYS[1])
