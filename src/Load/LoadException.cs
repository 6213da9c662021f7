namespace Voice.Load;

/// <summary>A run could not be made, in one line for people.</summary>
public sealed class LoadException(string message, Exception? inner = null) : Exception(message, inner);
