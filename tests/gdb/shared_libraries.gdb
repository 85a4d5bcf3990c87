# A dynamic program: its libraries are found, and breakpoints in them work, with all symbols from the target.
# program: dynamic
# symbols: target
starti one
break main
continue
info sharedlibrary
tbreak puts
continue
bt -frame-info short-location
finish
python
print("the program is", gdb.selected_inferior().progspace.filename.split("/")[-1])
end
kill
