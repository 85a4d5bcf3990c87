# A breakpoint for one thread, which the others pass.
# program: threads
break main
run
break worker
continue
continue
continue
delete
break at_work thread 3
continue
print number
print $_thread
continue
print number
delete
tbreak everybody_is_here
continue
print work[1] >= 5
print work[3] >= 5
kill
