"""What a method promises, the check of it, and the template for a new one."""
