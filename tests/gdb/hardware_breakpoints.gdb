# Breakpoints in the debug registers.
# program: basics
hbreak add
thbreak mean
run
bt
continue
print counter
disable 1
continue
info breakpoints
delete
hbreak factorial if n == 2
continue
bt
step
delete
continue
