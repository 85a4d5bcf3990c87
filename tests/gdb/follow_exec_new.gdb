# The new program is an inferior of its own.
# program: execs
set follow-exec-mode new
break afterwards
run
info inferiors
bt
continue
