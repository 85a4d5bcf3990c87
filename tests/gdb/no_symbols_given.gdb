# gdb is told nothing: which program runs, and its symbols, come from the target.
# program: basics
# symbols: target
starti
break main
continue
bt
info sharedlibrary
info line add
kill
