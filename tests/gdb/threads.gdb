# Threads: the list, their names, their stacks, one after the other.
# program: threads
break everybody_is_here
run
info threads
thread 2
frame function worker
thread name second
thread find worker
thread apply all -ascending -q print $_thread
thread apply all -q frame function worker
thread apply 3 print work[3] > 0
print $_thread
print $_gthread
info threads
kill
