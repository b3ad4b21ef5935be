#!lua flags=no-writes
-- Read tables of a site at one moment. A script, because a full server refuses MULTI even for reading.
--
-- KEYS    1 commit, 2.. the tables
-- ARGV    none
-- Result  the number of the last commit (or ""), then per table: id, value, id, value, ...

local result = {redis.call('HGET', KEYS[1], 'number') or ''}
for table = 2, #KEYS do
  result[table] = redis.call('HGETALL', KEYS[table])
end
return result
