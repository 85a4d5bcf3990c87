break everybody_is_here
continue
thread apply all -ascending -q print mine
thread apply all -ascending -q print zeroed
thread apply all -ascending -q print (int)errno
up
next
delete
info sharedlibrary
continue
