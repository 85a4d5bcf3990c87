# Only one thread runs, and exits: gdb is told that nobody is left of those that ran.
# program: threads
break everybody_is_here
run
delete
thread 3
set scheduler-locking on
set var go_on = 1
continue
set scheduler-locking off
python print(sorted(t.num for t in gdb.selected_inferior().threads()))
thread 1
continue
