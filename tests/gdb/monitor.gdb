# The server's own commands.
# program: basics
# oracle: none
monitor help
monitor version
monitor status
break main
run
monitor status
monitor nonsense
kill
