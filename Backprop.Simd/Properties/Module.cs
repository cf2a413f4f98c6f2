// Locals are written before they are read throughout; the runtime need not clear stack buffers first.
[module: System.Runtime.CompilerServices.SkipLocalsInit]
