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
stepi 30
print work[1] > $one
set scheduler-locking on
set var go_on = 1
delete
finish
thread apply all -q print $_thread
set scheduler-locking off
continue
