# A core file, and what gdb sees in it afterwards.
# program: basics
break factorial if n == 2
run
eval "gcore %s/core", $here
kill
eval "core-file %s/core", $here
bt
print counter
print origin
info registers rip
