namespace Voice.Signaling;

/// <summary>The process cannot start. The message is one line that says what is wrong and what to do; the command
/// line prints it and exits with code 1.</summary>
public sealed class StartupException : Exception
{
    public StartupException(string oneLine, Exception? inner = null)
        : base(oneLine, inner)
    {
    }
}
