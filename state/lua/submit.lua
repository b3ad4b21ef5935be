#!lua
-- Leave an act for the core.
--
-- KEYS    1 acts, 2 acts order, 3 acts done
-- ARGV    id, body
-- Result  1, or 0 when this id waits already or was done lately

if redis.call('ZSCORE', KEYS[3], ARGV[1]) then
  return 0
end
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then
  return 0
end
redis.call('RPUSH', KEYS[2], ARGV[1])
return 1
