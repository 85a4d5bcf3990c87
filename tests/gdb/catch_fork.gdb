# Forks and vforks are caught; the child runs on by itself.
# program: forks
catch fork
catch vfork
break in_parent
run
continue
print status
print global
continue
run vfork
continue
print global
continue
