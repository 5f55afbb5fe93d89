"""One process that fits alone, as others see it."""


class SingleProcess:
    """One process that shares its fit with no other.

    It has those methods of `Communicator` that make sense for one process, too.
    """

    rank, size, is_first, gpu = 0, 1, True, "cuda"

    def sum(self, *numbers):
        """Return numbers as floats."""
        return [float(number) for number in numbers]

    def any(self, flag):
        """Return the flag."""
        return flag

    def gather_objects(self, value):
        """Return the only value, in a list."""
        return [value]

    def broadcast_result(self, function):
        """Return the result of a function."""
        return function()

    def check_same(self, description):
        """Do nothing: one process cannot disagree with itself."""


SINGLE_PROCESS = SingleProcess()
