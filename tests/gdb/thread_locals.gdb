# Variables of which each thread has its own, in a static program.
# program: locals
break everybody_is_here
run
print mine
thread apply all -ascending -q print mine
thread apply all -ascending -q print zeroed
thread 2
set var mine = 7
print mine
thread apply 3 -q print mine
