# The program is killed and run again, with other arguments.
# program: basics
break loop
run a
kill
info inferiors
run b c
print argc
up
print argc
print argv[1]
start
print argc
kill
run
kill
