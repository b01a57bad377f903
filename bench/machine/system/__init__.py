"""All that differs between Linux, macOS and Windows; nothing else here asks which system it runs on.

cores       which there are, and a run held on one of them
files       files without a name, file positions, and what may be done to a file that is open
processes   groups of processes, signals, handles that a child gets, and what carries a mark
memory      what the processes of a job hold
keeper      the parent of a job's processes, where a process can fork
isolation   what the kernel closes for a job (Linux)
landlock    what a process can give up without any right (Linux)

Linux has all of it. macOS holds no process on a core and adopts no orphans. Windows also has no fork, no process
groups and no files that can be removed while they are open. Where a call is missing, psutil or filelock take its
place, or the function says in its docstring what it then does not do. `tests/other_systems` hides the calls.
"""
