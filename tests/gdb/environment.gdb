# What a program is started with: environment, folder, arguments that a shell would take apart.
# program: basics
set environment STILLPOINT here
unset environment HOME
set cwd /tmp
set startup-with-shell off
set args 'a b' "c'd" \$e *
break loop
run
up
print argc
print argv[1]
print argv[2]
print argv[3]
print argv[4]
print (char *)getenv("STILLPOINT")
print (char *)getenv("HOME")
info proc cwd
set startup-with-shell on
set disable-randomization off
show disable-randomization
run
up
print argc
print argv[3]
kill
set cwd /no/such/folder
run
