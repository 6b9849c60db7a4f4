"""The same rules in python-dateutil: instances a second with their mapping to UTC, and the next instance ten years on.

    python3 dateutil_peer.py rules.txt

Prints one line of JSON: rate, median and p99 (microseconds). The next instance is not asked of SECONDLY rules, which are
walked for minutes.
"""

import datetime
import json
import sys
import time

from dateutil import rrule, tz

START = datetime.datetime(1997, 9, 2, 9)
COUNT = 1000
ZONE = tz.gettz("America/New_York")


def walk(rule):
    count = 0
    for instance in rule:
        instance.replace(tzinfo=ZONE).astimezone(tz.UTC)
        count += 1
        if count == COUNT:
            break
    return count


texts = [line.strip() for line in open(sys.argv[1]) if line.strip()]
begin = time.perf_counter()
total = sum(walk(rrule.rrulestr(text, dtstart=START)) for text in texts)
rate = total / (time.perf_counter() - begin)

times = []
for text in texts:
    if "SECONDLY" in text:
        continue
    rule = rrule.rrulestr(text, dtstart=START)
    for month in range(5):
        begin = time.perf_counter()
        rule.after(START + datetime.timedelta(days=3652 + 61 * month))
        times.append((time.perf_counter() - begin) * 1e6)
times.sort()
print(json.dumps({"rate": rate, "median": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}))
