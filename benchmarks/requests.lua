-- For wrk: cycles through the requests in a file, one per line, and prints a line of JSON at the end.
-- A line is a path, a tab, and the body of a POST, or nothing for a GET.
local requests, next = {}, 0

function init(arguments)
  local json = { ['Content-Type'] = 'application/json' }
  for line in io.lines(arguments[1]) do
    local path, body = line:match('^(.-)\t(.*)$')
    requests[#requests + 1] = body == '' and wrk.format('GET', path) or wrk.format('POST', path, json, body)
  end
end

function request()
  next = next % #requests + 1
  return requests[next]
end

function done(summary)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  local report = '{"answers": %d, "seconds": %f, "errors": %d, "broken": %d}'
  print(report:format(summary.requests, summary.duration / 1e6, errors.status, broken))
end
