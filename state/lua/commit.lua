#!lua
-- Apply one numbered commit of a site: all of it, or nothing.
--
-- KEYS    1 lease, 2 commit, 3 acts, 4 acts order, 5 acts done, 6 traces order,
--         7.. the tables in the order of state.record.Table
-- ARGV    holder, token, number, content hash, how many ids of done acts to keep, how many traces to keep,
--         which table is that of traces, from 1,
--         count of acts done, their ids,
--         and for each table: count of puts, id and value of each; count of removals, their ids
-- Result  {"done", number}          it is applied now
--         {"repeated", number}      the same commit was applied before; nothing changed
--         {"fenced", holder}        the lease is not the caller's; holder is "" where nobody has it
--         {"out of step", number}   the number that is stored

local CHUNK = 2000 -- values per HSET or HDEL: unpack fails beyond about 8,000

local holder, token, number, hash, keep = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local traces_kept, traces = tonumber(ARGV[6]), tonumber(ARGV[7]) + 6

local lease = redis.call('HMGET', KEYS[1], 'holder', 'token')
if lease[1] ~= holder or lease[2] ~= token then
  return {'fenced', lease[1] or ''}
end

local last = redis.call('HMGET', KEYS[2], 'number', 'hash')
local stored = tonumber(last[1] or '0')
if number == stored and hash == last[2] then
  redis.call('HSET', KEYS[2], 'hash', hash) -- a write, so that WAIT after a repeated commit waits for the replicas
  return {'repeated', stored}
end
if number ~= stored + 1 then
  return {'out of step', stored}
end

redis.call('HSET', KEYS[2], 'number', ARGV[3], 'hash', hash, 'token', token)

local at = 8

local function take(width, apply)
  local count = tonumber(ARGV[at]) * width
  at = at + 1
  local last_value = at + count - 1
  while at <= last_value do
    local stop = math.min(at + CHUNK - 1, last_value)
    apply(unpack(ARGV, at, stop))
    at = stop + 1
  end
end

take(1, function(...)
  for _, id in ipairs({...}) do
    if redis.call('HDEL', KEYS[3], id) == 1 then
      redis.call('LREM', KEYS[4], 1, id)
    end
    redis.call('ZADD', KEYS[5], ARGV[3], id)
  end
  redis.call('ZREMRANGEBYRANK', KEYS[5], 0, -(keep + 1))
end)

for table = 7, #KEYS do
  take(2, function(...)
    redis.call('HSET', KEYS[table], ...)
    if table == traces then
      local put = {...}
      for i = 1, #put, 2 do
        redis.call('ZADD', KEYS[6], ARGV[3], put[i])
      end
    end
  end)
  take(1, function(...)
    redis.call('HDEL', KEYS[table], ...)
    if table == traces then
      redis.call('ZREM', KEYS[6], ...)
    end
  end)
end

local over = redis.call('ZCARD', KEYS[6]) - traces_kept
while over > 0 do
  local oldest = redis.call('ZRANGE', KEYS[6], 0, math.min(over, CHUNK) - 1)
  redis.call('ZREM', KEYS[6], unpack(oldest))
  redis.call('HDEL', KEYS[traces], unpack(oldest))
  over = over - #oldest
end

return {'done', number}
