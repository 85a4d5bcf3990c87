# gdb itself stops threads one by one, and has them step over breakpoints somewhere else while the others run.
# program: threads
# first: maint set target-non-stop on
# first: set displaced-stepping on
python
class Count(gdb.Breakpoint):
    hits = 0
    def stop(self):
        self.hits += 1
        return False
count = Count("at_work")
end
break everybody_is_here
run
python print(count.hits)
python print(len(gdb.selected_inferior().threads()))
next
print work[2] >= 1005
delete
set var go_on = 1
continue
