namespace Voice.Commands.Clients;

/// <summary>What a client command asked for was not to be had; one line, exit code 1.</summary>
internal sealed class ClientException(string message) : Exception(message);
