-- How many posts a second are accepted, each by another neighbor:
--   MANYHANDS__LIMITS__MODE=off manyhands serve
--   wrk --latency -t 2 -c 32 -d 20s -s benches/posts.lua http://127.0.0.1:8080
-- Only against a service of your own on this machine.
local count, thread = 0, 0

function setup(other)
  thread = thread + 1
  other:set("number", thread)
end

function request()
  count = count + 1
  local body = string.format(
    '{"contact": {"name": "Mo %d", "phone": "612 555 %04d", "email": "mo%d.%d@example.org"},' ..
    ' "location": {"lat": %.5f, "lon": %.5f, "address": "%d Example Avenue"}, "languages": ["en", "es"],' ..
    ' "needs": [{"category": "food", "quantity": %d, "urgency": "soon", "note": "Two adults, two children"}]}',
    count, count % 10000, number, count, 44.85 + math.random() * 0.2, -93.4 + math.random() * 0.3, count,
    1 + count % 6)
  return wrk.format("POST", "/v1/requests", { ["Content-Type"] = "application/json" }, body)
end
