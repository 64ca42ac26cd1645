-- For wrk: posts the lines of the file BODIES in turn, and says in one line of JSON what came of it.
wrk.method = "POST"
wrk.path = "/predict"
wrk.headers["Content-Type"] = "application/json"

local requests = {}
local next_request = 0

function init()
  for line in io.lines(os.getenv("BODIES")) do
    requests[#requests + 1] = wrk.format(nil, nil, nil, line)
  end
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency)
  local errors = summary.errors
  -- `status` counts answers of 400 and above.
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.stderr:write(string.format('"rate":%.1f,"p50":%.0f,"p99":%.0f,"failed":%d\n',
    summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99), failed))
end
