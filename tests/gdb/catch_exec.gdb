# Programs that execute others are caught, and gdb takes over the new one.
# program: execs
catch exec
run
bt -frame-info short-location
break afterwards
continue
bt
info inferiors
continue
