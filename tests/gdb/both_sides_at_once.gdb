# Both sides of a fork run and stop together.
# program: forks
set detach-on-fork off
set schedule-multiple on
break in_child
run
print $_inferior
print global
delete
break in_parent
continue
python gdb.inferiors()[0].threads()[0].switch()
continue
print status
print $_inferior
info threads
kill inferiors 1
