# Only one thread runs, for a step and for longer; then all again.
# program: threads
break everybody_is_here
run
set scheduler-locking on
set $one = work[1]
set $two = work[2]
set $three = work[3]
thread 3
stepi 30
print work[2] > $two
print work[1] == $one
print work[3] == $three
set scheduler-locking step
stepi 30
print work[1] == $one
set scheduler-locking off
set logging file /dev/null
set logging redirect on
set logging enabled on
python
steps = 0
while gdb.parse_and_eval("work[1] == $one") and steps < 1000:
    gdb.execute("stepi")
    steps += 1
end
set logging enabled off
print work[1] > $one
set scheduler-locking on
set var go_on = 1
delete
finish
thread apply all -q print $_thread
set scheduler-locking off
continue
