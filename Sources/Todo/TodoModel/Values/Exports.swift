// Days, wall times and zones are words of the todo model too; whoever imports it can use them.
@_exported public import Recurrence
