# The same in a dynamic program, and the C library's own.
# program: locals_dynamic
break everybody_is_here
run
thread apply all -ascending -q print mine
thread apply all -ascending -q print zeroed[3]
thread apply all -ascending -q print (int)errno
thread 3
set var mine = -1
print mine
thread 1
delete
continue
