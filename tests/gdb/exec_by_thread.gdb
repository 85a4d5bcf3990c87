# A thread that is not the first executes a program: the others are gone, and it is the first.
# program: execs
break execute
run thread
print $_thread
break afterwards
continue
info threads
bt
continue
