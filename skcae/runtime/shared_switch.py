"""Settings of the whole process that several threads change for a while."""

import threading


class SharedSwitch:
    """A setting of the whole process that several threads change for a while.

    The first of them sets it, the last one sets it back.

    Parameters
    ----------
    read : callable
        Returns what is set.
    write : callable
        Sets a value for us.
    restore : callable
        Sets what `read` has returned.
    """

    def __init__(self, read, write, restore):
        self.read, self.write, self.restore = read, write, restore
        self.lock, self.users, self.found = threading.Lock(), {}, None

    def set_to(self, value):
        """Return a context in which the switch has a value."""
        return _Use(self, value)

    def take(self, user, value):
        """Set the switch, unless another user has done so before."""
        with self.lock:
            if self.found is None:
                # Noted before anything is changed, as Ctrl-C may come in between.
                self.found = (self.read(),)
                self.write(value)
            self.users[user] = threading.get_ident()

    def give_back(self, *users):
        """Forget users. If none is left, the switch gets the value that was found.

        It does no harm to forget a user twice.
        """
        with self.lock:
            for user in users:
                self.users.pop(user, None)
            if self.found is not None and not self.users:
                self.restore(*self.found)
                self.found = None

    def users_here(self):
        """Return the users that belong to this thread."""
        if not self.users:
            return set()
        here = threading.get_ident()
        return {user for user, thread in list(self.users.items()) if thread == here}


class _Use:
    """One use of a switch.

    It is no generator: one that Ctrl-C leaves unfinished would set the switch back at
    whatever time it is collected.
    """

    def __init__(self, switch, value):
        self.switch, self.value = switch, value

    def __enter__(self):
        try:
            self.switch.take(self, self.value)
        except BaseException:
            self.switch.give_back(self)
            raise

    def __exit__(self, *error):
        self.switch.give_back(self)
